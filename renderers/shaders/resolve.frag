#version 330 core
// Meets the ray of each pixel's centre with the triangle that owns the pixel.
//
// Local space: the mesh's own axes, centred and scaled to about one unit, so that float32 holds it.
// Rays: origin + t * direction, t such that t * |camera_direction| is the ray length in scene units.
// q: the pixel's centre, counted from the middle of the drawn rectangle.
uniform isampler2D triangles;
uniform samplerBuffer face_data;     // six texels a face: see mesh_buffers.py
uniform samplerBuffer corner_colors; // three texels a face
uniform isamplerBuffer face_slots;
uniform sampler2D picture;

uniform int slot;            // which faces this pass draws; -1: all
uniform int textured;        // 1: picture, 0: corner_colors
uniform int point_sampled;   // 1: color filter "nearest", 0: "box"
uniform int flat_normals;
uniform float viewer_side;   // +1 front surface, -1 back surface

uniform vec2 middle;         // of the rectangle, in its own pixels
uniform vec3 origin, origin_x, origin_y;
uniform vec3 direction, direction_x, direction_y;
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
    if (point_sampled == 1)
        return box_mean(centre, vec2(1e-6), size);
    vec2 side_x = uv_x * vec2(size.x, -size.y), side_y = uv_y * vec2(size.x, -size.y);
    float nx = fetches(side_x), ny = fetches(side_y);
    side_x /= nx;
    side_y /= ny;
    vec2 width = max(abs(side_x) + abs(side_y), vec2(1e-6));
    vec2 corner = centre - 0.5 * ((nx - 1.0) * side_x + (ny - 1.0) * side_y);
    vec3 sum = vec3(0.0);
    for (float j = 0.0; j < ny; j += 1.0)
        for (float i = 0.0; i < nx; i += 1.0)
            sum += box_mean(corner + i * side_x + j * side_y, width, size);
    return sum / (nx * ny);
}

// Barycentrics (of corners 1 and 2) of a vector in the triangle's plane.
vec2 in_triangle(vec3 offset, vec3 edge_1, vec3 edge_2, vec3 face_normal) {
    vec2 areas = vec2(dot(cross(offset, edge_2), face_normal), dot(cross(edge_1, offset), face_normal));
    return areas / dot(face_normal, face_normal);
}

vec2 shorten(vec2 step, vec3 along, float pixel) {
    return step * min(1.0, MAX_STRETCH * pixel / max(length(along), 1e-30));
}

void main() {
    int triangle = texelFetch(triangles, ivec2(gl_FragCoord.xy), 0).r;
    if (triangle < 0)
        discard;
    if (slot >= 0 && texelFetch(face_slots, triangle).r != slot)
        discard;
    vec4 f0 = texelFetch(face_data, 6 * triangle), f1 = texelFetch(face_data, 6 * triangle + 1);
    vec4 f2 = texelFetch(face_data, 6 * triangle + 2), f3 = texelFetch(face_data, 6 * triangle + 3);
    vec4 f4 = texelFetch(face_data, 6 * triangle + 4), f5 = texelFetch(face_data, 6 * triangle + 5);
    vec3 edge_1 = f1.xyz, edge_2 = f2.xyz;

    vec2 q = gl_FragCoord.xy - middle;
    vec3 eye = origin + q.x * origin_x + q.y * origin_y;
    vec3 ray = direction + q.x * direction_x + q.y * direction_y;

    vec3 face_normal = cross(edge_1, edge_2);
    float slope = dot(face_normal, ray);
    vec3 offset = eye - f0.xyz;
    float t = -dot(face_normal, offset) / slope;
    vec2 bary = in_triangle(offset + t * ray, edge_1, edge_2, face_normal);
    vec3 weights = vec3(1.0 - bary.x - bary.y, bary);
    // The device snaps vertices to a 1/256 pixel grid, so a centre may lie a hair outside.
    if (!(min(weights.x, min(weights.y, weights.z)) >= 0.0)) {
        weights = max(weights, 0.0);
        float sum = weights.x + weights.y + weights.z;
        weights = sum > 0.0 && sum < 1e30 ? weights / sum : vec3(1.0 / 3.0);
        vec3 nearest = weights.y * edge_1 + weights.z * edge_2 - offset;
        t = dot(nearest, ray) / dot(ray, ray);
    }
    vec2 toward = camera_direction + q * camera_direction_step;
    float depth = orthographic == 1 ? t : t * length(vec3(toward, 1.0));

    // Where the hit point goes when the ray moves by one pixel to the right or down.
    vec3 move_x = origin_x + t * direction_x, move_y = origin_y + t * direction_y;
    vec3 along_x = move_x - ray * (dot(face_normal, move_x) / slope);
    vec3 along_y = move_y - ray * (dot(face_normal, move_y) / slope);

    if (textured == 1) {
        vec2 uv_0 = vec2(f0.w, f1.w), uv_1 = vec2(f2.w, f3.w), uv_2 = vec2(f4.w, f5.w);
        vec2 b_x = shorten(in_triangle(along_x, edge_1, edge_2, face_normal), along_x, length(move_x));
        vec2 b_y = shorten(in_triangle(along_y, edge_1, edge_2, face_normal), along_y, length(move_y));
        mat2 turn = mat2(uv_1, uv_2);
        color = vec4(picture_mean(uv_0 + turn * weights.yz, turn * b_x, turn * b_y), 1.0);
    } else {
        color = weights.x * texelFetch(corner_colors, 3 * triangle)
              + weights.y * texelFetch(corner_colors, 3 * triangle + 1)
              + weights.z * texelFetch(corner_colors, 3 * triangle + 2);
    }

    vec3 unit_face = normalize(face_normal);
    vec3 normal = weights.x * f3.xyz + weights.y * f4.xyz + weights.z * f5.xyz;
    if (flat_normals == 1 || dot(normal, normal) < 1e-12)
        normal = unit_face;
    // Seen from outside where the slope is negative: kept on the front, turned on the back.
    float turn_round = slope * viewer_side <= 0.0 ? 1.0 : -1.0;
    normal = normalize(normal) * turn_round;
    vec3 unit_ray = normalize(ray);
    float past = dot(normal, unit_ray);
    if (past * viewer_side > 0.0) {
        vec3 rest = normal - past * unit_ray;
        normal = dot(rest, rest) > 1e-12 ? normalize(rest) : unit_face * turn_round;
    }
    normal_depth = vec4(local_to_camera * normal, depth);
}
