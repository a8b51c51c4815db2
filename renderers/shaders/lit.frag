// The flat-shaded surface under spot lights: the metallic-roughness model of glTF 2.0 for a metal, as
// pyrender draws an OBJ without a shininess. hit.glsl comes before.
//
// Light space: the axes and the unit in which the lights are given.
const int SPOTS = 4;
uniform vec3 light_position[SPOTS];
uniform vec3 light_direction[SPOTS];   // where it shines
uniform vec3 light_color[SPOTS];       // times its intensity
uniform vec2 cone;                     // scale and offset of the cosine from the axis, 0..1 after
uniform vec3 ambient;
uniform mat4 local_to_light;
uniform vec3 camera_position;          // light space
uniform float roughness;

layout(location = 0) out vec4 color;

const float PI = 3.141592653589793;
const vec3 KNEE = vec3(0.04045);

vec3 linear(vec3 srgb) {
    return mix(srgb / 12.92, pow((srgb + 0.055) / 1.055, vec3(2.4)), step(KNEE, srgb));
}

// Mean of the picture over about a pixel, from the two levels nearest in size. uv_x, uv_y: by a pixel.
vec3 picture_level(vec2 uv, vec2 uv_x, vec2 uv_y) {
    vec2 size = vec2(textureSize(picture, 0));
    vec2 side_x = uv_x * size, side_y = uv_y * size;
    float level = 0.5 * log2(max(max(dot(side_x, side_x), dot(side_y, side_y)), 1e-12));
    return textureLod(picture, vec2(uv.x, 1.0 - uv.y), max(level, 0.0)).rgb;
}

// Light of one spot that a metal of this colour sends to the camera. n, v, l: unit, from the surface.
vec3 reflected(vec3 n, vec3 v, vec3 l, vec3 metal, vec3 radiance) {
    vec3 h = normalize(l + v);
    float nl = clamp(dot(n, l), 0.001, 1.0), nv = clamp(abs(dot(n, v)), 0.001, 1.0);
    float nh = clamp(dot(n, h), 0.0, 1.0), vh = clamp(dot(v, h), 0.0, 1.0);
    float grazing = 1.0 - vh, square = grazing * grazing;
    vec3 fresnel = metal + (1.0 - metal) * (square * square * grazing);
    float k = (roughness + 1.0) * (roughness + 1.0) / 8.0;
    float shadowing = nv / (nv * (1.0 - k) + k) * (nl / (nl * (1.0 - k) + k));
    float a2 = roughness * roughness * roughness * roughness;
    float spread = nh * nh * (a2 - 1.0) + 1.0;
    float facets = a2 / (PI * spread * spread);
    return nl * radiance * fresnel * (shadowing * facets / (4.0 * nl * nv + 0.001));
}

void main() {
    int triangle = find_triangle();
    vec4 f0 = texelFetch(face_data, 6 * triangle), f1 = texelFetch(face_data, 6 * triangle + 1);
    vec4 f2 = texelFetch(face_data, 6 * triangle + 2);
    Hit hit = meet(f0.xyz, f1.xyz, f2.xyz, gl_FragCoord.xy - middle);

    vec3 metal = vec3(1.0), tint = vec3(1.0);
#if TEXTURED
    vec2 uv_0 = vec2(f0.w, f1.w);
    mat2 turn = mat2(f2.w, texelFetch(face_data, 6 * triangle + 3).w,
                     texelFetch(face_data, 6 * triangle + 4).w,
                     texelFetch(face_data, 6 * triangle + 5).w);
    vec2 b_x = in_triangle(hit.along_x, hit.edge_1, hit.edge_2, hit.face_normal);
    vec2 b_y = in_triangle(hit.along_y, hit.edge_1, hit.edge_2, hit.face_normal);
    metal = linear(picture_level(uv_0 + turn * hit.weights.yz, turn * b_x, turn * b_y));
#else
    // Colours of corners are mixed where they are linear, and laid over what was reflected.
    tint = hit.weights.x * linear(texelFetch(corner_colors, 3 * triangle).rgb)
         + hit.weights.y * linear(texelFetch(corner_colors, 3 * triangle + 1).rgb)
         + hit.weights.z * linear(texelFetch(corner_colors, 3 * triangle + 2).rgb);
#endif

    vec3 inside = hit.weights.y * hit.edge_1 + hit.weights.z * hit.edge_2 + f0.xyz;
    vec3 point = (local_to_light * vec4(inside, 1.0)).xyz;
    vec3 n = normalize(mat3(local_to_light) * hit.face_normal);
    vec3 v = normalize(camera_position - point);
    vec3 light = metal * ambient;
    for (int i = 0; i < SPOTS; ++i) {
        vec3 toward = light_position[i] - point;
        float square = dot(toward, toward);
        vec3 l = toward * inversesqrt(square);
        float within = clamp(clamp(-dot(light_direction[i], l), 0.0, 1.0) * cone.x + cone.y, 0.0, 1.0);
        light += reflected(n, v, l, metal, light_color[i] * (within * within / square));
    }
    color = vec4(clamp(pow(light * tint, vec3(1.0 / 2.2)), 0.0, 1.0), 1.0);
}
