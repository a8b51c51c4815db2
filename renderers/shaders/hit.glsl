#version 330 core
// Meets the ray of each pixel's centre with the triangle that owns the pixel: what every pass over the
// pixels begins with. The file of the pass follows this one.
//
// Local space: the mesh's own axes, centred and scaled to about one unit, so that float32 holds it.
// Rays: origin + t * direction, t such that t * |camera_direction| is the ray length in scene units.
// q: the pixel's centre, counted from the middle of the drawn rectangle.
uniform isampler2D triangles;
uniform samplerBuffer face_data;     // six texels a face: see mesh_buffers.py
uniform samplerBuffer corner_colors; // three texels a face
uniform isamplerBuffer face_slots;
uniform sampler2D picture;

// Programs are made apart for what is 1 or 0 in all of their pixels, as a software renderer runs both
// sides of a branch. SLOTTED: faces of `slot` alone. TEXTURED: picture, else corner_colors.
#if SLOTTED
uniform int slot;
#endif

uniform vec2 middle;         // of the rectangle, in its own pixels
uniform vec3 origin, origin_x, origin_y;
uniform vec3 direction, direction_x, direction_y;

struct Hit {
    vec3 edge_1, edge_2, face_normal;
    vec3 ray;
    float slope;             // of the ray against the face's normal
    float t;
    vec3 weights;            // barycentric
    vec3 move_x, move_y;     // where the point goes when the ray moves by one pixel right or down,
    vec3 along_x, along_y;   // and where it goes along the face
};

// Barycentrics (of corners 1 and 2) of a vector in the triangle's plane.
vec2 in_triangle(vec3 offset, vec3 edge_1, vec3 edge_2, vec3 face_normal) {
    vec2 areas = vec2(dot(cross(offset, edge_2), face_normal), dot(cross(edge_1, offset), face_normal));
    return areas / dot(face_normal, face_normal);
}

// The triangle of this pixel, whose faces belong to this pass; ends the pixel where there is none.
int find_triangle() {
    int triangle = texelFetch(triangles, ivec2(gl_FragCoord.xy), 0).r;
    if (triangle < 0)
        discard;
#if SLOTTED
    if (texelFetch(face_slots, triangle).r != slot)
        discard;
#endif
    return triangle;
}

// corner: the triangle's first. q: see above.
Hit meet(vec3 corner, vec3 edge_1, vec3 edge_2, vec2 q) {
    vec3 eye = origin + q.x * origin_x + q.y * origin_y;
    vec3 ray = direction + q.x * direction_x + q.y * direction_y;

    vec3 face_normal = cross(edge_1, edge_2);
    float slope = dot(face_normal, ray);
    vec3 offset = eye - corner;
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
    vec3 move_x = origin_x + t * direction_x, move_y = origin_y + t * direction_y;
    vec3 along_x = move_x - ray * (dot(face_normal, move_x) / slope);
    vec3 along_y = move_y - ray * (dot(face_normal, move_y) / slope);
    return Hit(edge_1, edge_2, face_normal, ray, slope, t, weights, move_x, move_y, along_x, along_y);
}
