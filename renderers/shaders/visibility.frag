#version 330 core
// Notes which triangle owns the pixel; all else is worked out once a pixel afterwards.
layout(location = 0) out int triangle;

void main() {
    triangle = gl_PrimitiveID;
}
