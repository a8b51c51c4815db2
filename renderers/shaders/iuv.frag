// DensePose part, U and V of the surface that a pixel sees. hit.glsl comes before.
uniform samplerBuffer charts;          // two texels a face: u0 v0 u1 v1, then u2 v2 part 0

layout(location = 0) out vec4 iuv;

void main() {
    int triangle = find_triangle();
    vec3 corner = texelFetch(face_data, 6 * triangle).xyz;
    vec3 edge_1 = texelFetch(face_data, 6 * triangle + 1).xyz;
    vec3 edge_2 = texelFetch(face_data, 6 * triangle + 2).xyz;
    vec3 weights = meet(corner, edge_1, edge_2, gl_FragCoord.xy - middle).weights;
    vec4 first = texelFetch(charts, 2 * triangle), second = texelFetch(charts, 2 * triangle + 1);
    vec2 uv = weights.x * first.xy + weights.y * first.zw + weights.z * second.xy;
    iuv = vec4(second.z / 255.0, uv, 1.0);
}
