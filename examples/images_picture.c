/* images_picture.c - grey pictures in files, and what can be done to them. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images_parts.h"

#define SIDE_MAX 4096

/* Reads a number and the one character behind it; SIZE_MAX where there is none. */
static size_t
number(const char **text, char behind)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (end == *text || errno != 0 || *end != behind || !isdigit((unsigned char)**text)) {
        return SIZE_MAX;
    }
    *text = end + (behind != '\0' ? 1 : 0);
    return value;
}

bool
picture_load(const char *path, struct picture *picture)
{
    char lines[3][32] = {"", "", ""}; /* P5, width and height, 255 */
    const char *sides = lines[1];
    FILE *file = fopen(path, "rb");
    bool ok = file != NULL;
    for (size_t i = 0; i < 3 && ok; i++) {
        ok = fgets(lines[i], sizeof(lines[i]), file) != NULL;
    }
    picture->width = number(&sides, ' ');
    picture->height = number(&sides, '\n');
    ok = ok && strcmp(lines[0], "P5\n") == 0 && strcmp(lines[2], "255\n") == 0 &&
         picture->width - 1 < SIDE_MAX && picture->height - 1 < SIDE_MAX;
    size_t bytes = ok ? picture->width * picture->height : 0;
    picture->grey = malloc(bytes + 1);
    ok = ok && picture->grey != NULL && fread(picture->grey, 1, bytes, file) == bytes;
    return (file == NULL || fclose(file) == 0) && ok;
}

bool
picture_save(const char *path, const struct picture *picture)
{
    char name[1024];
    size_t bytes = picture->width * picture->height;
    if (snprintf(name, sizeof(name), "%s.out", path) >= (int)sizeof(name)) {
        return false;
    }
    FILE *file = fopen(name, "wb");
    bool ok = file != NULL &&
              fprintf(file, "P5\n%zu %zu\n255\n", picture->width, picture->height) > 0 &&
              fwrite(picture->grey, 1, bytes, file) == bytes;
    return file != NULL && fclose(file) == 0 && ok;
}

/* The mean of four for each two by two. */
static bool
halve(struct picture *picture)
{
    size_t width = picture->width / 2;
    size_t height = picture->height / 2;
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            const unsigned char *from = picture->grey + 2 * y * picture->width + 2 * x;
            int sum = from[0] + from[1] + from[picture->width] + from[picture->width + 1];
            picture->grey[y * width + x] = (unsigned char)(sum / 4);
        }
    }
    picture->width = width;
    picture->height = height;
    return width > 0 && height > 0;
}

static bool
crop(struct picture *picture, const char *numbers)
{
    size_t x = number(&numbers, ',');
    size_t y = number(&numbers, ',');
    size_t width = number(&numbers, ',');
    size_t height = number(&numbers, '\0');
    if (width == 0 || height == 0 || x >= picture->width || y >= picture->height ||
        width > picture->width - x || height > picture->height - y) {
        return false;
    }
    for (size_t row = 0; row < height; row++) {
        memmove(picture->grey + row * width, picture->grey + (y + row) * picture->width + x, width);
    }
    picture->width = width;
    picture->height = height;
    return true;
}

bool
picture_apply(struct picture *picture, const char *operation)
{
    if (strcmp(operation, "half") == 0) {
        return halve(picture);
    }
    if (strncmp(operation, "crop=", 5) == 0) {
        return crop(picture, operation + 5);
    }
    for (size_t i = 0; i < picture->width * picture->height; i++) {
        picture->grey[i] = (unsigned char)(255 - picture->grey[i]);
    }
    return strcmp(operation, "negative") == 0;
}
