/* images_parts.h - what the files of images.c know of each other. */
#ifndef IMAGES_PARTS_H
#define IMAGES_PARTS_H

#include <stdbool.h>
#include <stddef.h>

struct picture {
    size_t width;
    size_t height;
    unsigned char *grey; /* line by line; whoever loaded it calls free() */
};

/* Reads a binary PGM of 255 levels, at most 4 096 wide and high. */
bool picture_load(const char *path, struct picture *picture);

/* Writes it to PATH.out. */
bool picture_save(const char *path, const struct picture *picture);

/* half, crop=X,Y,WIDTH,HEIGHT or negative; false: it cannot be done, and the picture is spoilt. */
bool picture_apply(struct picture *picture, const char *operation);

#endif
