#version 330 core
// One triangle over the whole rectangle, without any vertex data.
uniform float nowhere;  // clip z of pixels where nothing is seen: what the depth was cleared to
void main() {
    gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, nowhere, 1.0);
}
