// Colour, normal and ray length of the surface that a pixel sees. hit.glsl comes before.
// POINT_SAMPLED: color filter "nearest", else "box". FLAT_NORMALS: of the face, else mixed.
uniform float viewer_side;   // +1 front surface, -1 back surface

uniform vec2 camera_direction, camera_direction_step;  // x and y of the ray where its z is 1
uniform int orthographic;
uniform mat3 local_to_camera;  // rotation alone

layout(location = 0) out vec4 color;
layout(location = 1) out vec4 normal_depth;

// A stretched footprint is cut at this many times the pixel's own width: on a curved body, the
// triangles beside an edge-on one are less edge-on, so its plane goes too far.
const float MAX_STRETCH = 8.0;
// Texels that one bilinear fetch stands for, and fetches a side of the footprint at most.
const float TEXELS_A_FETCH = 1.5;
const float MAX_FETCHES = 8.0;
const float MIN_FETCHES = 3.0;
// Devices cut the bilinear weight to 8 bits; this nudge keeps a weight of 0 or 1 exactly that.
const float WEIGHT_NUDGE = 1.0 / 768.0;

// Mean of the picture over an axis-aligned box: the two texels on each axis that touch it next to
// its middle, weighted by their shares. Exact up to one texel wide, a sample of it beyond.
// centre, width: in texels.
vec3 box_mean(vec2 centre, vec2 width, vec2 size) {
    vec2 border = floor(centre + 0.5);
    vec2 share = clamp((centre - border) / width + 0.5, 0.0, 1.0) + WEIGHT_NUDGE;
    return textureLod(picture, (border - 0.5 + share) / size, 0.0).rgb;
}

float fetches(vec2 side) {
    return clamp(ceil((abs(side.x) + abs(side.y)) / TEXELS_A_FETCH), MIN_FETCHES, MAX_FETCHES);
}

// Mean of the picture over a parallelogram. uv: its centre, v up. uv_x, uv_y: its sides.
// Split into fetches; each takes texels of its own part only, so none from beyond the footprint.
vec3 picture_mean(vec2 uv, vec2 uv_x, vec2 uv_y) {
    vec2 size = vec2(textureSize(picture, 0));
    vec2 centre = vec2(fract(uv.x), fract(1.0 - uv.y)) * size;
#if POINT_SAMPLED
    return box_mean(centre, vec2(1e-6), size);
#else
    vec2 side_x = uv_x * vec2(size.x, -size.y), side_y = uv_y * vec2(size.x, -size.y);
    float nx = fetches(side_x), ny = fetches(side_y);
    side_x /= nx;
    side_y /= ny;
    vec2 width = max(abs(side_x) + abs(side_y), vec2(1e-6));
    vec2 corner = centre - 0.5 * ((nx - 1.0) * side_x + (ny - 1.0) * side_y);
    vec3 sum = vec3(0.0);
    // One loop over both sides: a loop ends when the last of the pixels that run together ends.
    float i = 0.0, j = 0.0, count = nx * ny;
    for (float k = 0.0; k < count; k += 1.0) {
        sum += box_mean(corner + i * side_x + j * side_y, width, size);
        i += 1.0;
        if (i >= nx) {
            i = 0.0;
            j += 1.0;
        }
    }
    return sum / (nx * ny);
#endif
}

vec2 shorten(vec2 step, vec3 along, float pixel) {
    return step * min(1.0, MAX_STRETCH * pixel / max(length(along), 1e-30));
}

void main() {
    int triangle = find_triangle();
    vec4 f0 = texelFetch(face_data, 6 * triangle), f1 = texelFetch(face_data, 6 * triangle + 1);
    vec4 f2 = texelFetch(face_data, 6 * triangle + 2), f3 = texelFetch(face_data, 6 * triangle + 3);
    vec4 f4 = texelFetch(face_data, 6 * triangle + 4), f5 = texelFetch(face_data, 6 * triangle + 5);
    vec2 q = gl_FragCoord.xy - middle;
    Hit hit = meet(f0.xyz, f1.xyz, f2.xyz, q);
    vec3 weights = hit.weights, face_normal = hit.face_normal;
    vec2 toward = camera_direction + q * camera_direction_step;
    float depth = orthographic == 1 ? hit.t : hit.t * length(vec3(toward, 1.0));

#if TEXTURED
    vec2 uv_0 = vec2(f0.w, f1.w), uv_1 = vec2(f2.w, f3.w), uv_2 = vec2(f4.w, f5.w);
    vec2 b_x = in_triangle(hit.along_x, hit.edge_1, hit.edge_2, face_normal);
    vec2 b_y = in_triangle(hit.along_y, hit.edge_1, hit.edge_2, face_normal);
    b_x = shorten(b_x, hit.along_x, length(hit.move_x));
    b_y = shorten(b_y, hit.along_y, length(hit.move_y));
    mat2 turn = mat2(uv_1, uv_2);
    color = vec4(picture_mean(uv_0 + turn * weights.yz, turn * b_x, turn * b_y), 1.0);
#else
    color = weights.x * texelFetch(corner_colors, 3 * triangle)
          + weights.y * texelFetch(corner_colors, 3 * triangle + 1)
          + weights.z * texelFetch(corner_colors, 3 * triangle + 2);
#endif

    vec3 unit_face = normalize(face_normal);
    vec3 normal = weights.x * f3.xyz + weights.y * f4.xyz + weights.z * f5.xyz;
    if (FLAT_NORMALS == 1 || dot(normal, normal) < 1e-12)
        normal = unit_face;
    // Seen from outside where the slope is negative: kept on the front, turned on the back.
    float turn_round = hit.slope * viewer_side <= 0.0 ? 1.0 : -1.0;
    normal = normalize(normal) * turn_round;
    vec3 unit_ray = normalize(hit.ray);
    float past = dot(normal, unit_ray);
    if (past * viewer_side > 0.0) {
        vec3 rest = normal - past * unit_ray;
        normal = dot(rest, rest) > 1e-12 ? normalize(rest) : unit_face * turn_round;
    }
    normal_depth = vec4(local_to_camera * normal, depth);
}
