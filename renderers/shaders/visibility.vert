#version 330 core
// Carries mesh vertices to the rectangle of the picture that is drawn.
layout(location = 0) in vec3 position;
uniform mat4 local_to_clip;

void main() {
    gl_Position = local_to_clip * vec4(position, 1.0);
}
