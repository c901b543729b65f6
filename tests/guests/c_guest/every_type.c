// A function for every type, which gives back what it gets, and some whose names libc has too.

#include "every_type.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t exports_every_type_identity_integer(int64_t value) { return value; }
uint8_t exports_every_type_identity_byte(uint8_t value) { return value; }
double exports_every_type_identity_float(double value) { return value; }
bool exports_every_type_identity_bool(bool value) { return value; }
uint32_t exports_every_type_identity_char(uint32_t value) { return value; }
every_type_colour_t exports_every_type_identity_enum(every_type_colour_t value) { return value; }
every_type_rights_t exports_every_type_identity_flags(every_type_rights_t value) { return value; }

void exports_every_type_identity_string(every_type_string_t *value, every_type_string_t *ret) {
    *ret = *value;
}

void exports_every_type_identity_bytes(every_type_list_u8_t *value, every_type_list_u8_t *ret) {
    *ret = *value;
}

void exports_every_type_identity_floats(every_type_list_f64_t *value, every_type_list_f64_t *ret) {
    *ret = *value;
}

bool exports_every_type_identity_option(int32_t *value, int32_t *ret) {
    if (value) {
        *ret = *value;
    }
    return value != NULL;
}

void exports_every_type_identity_tuple(every_type_tuple2_string_f64_t *value,
                                       every_type_tuple2_string_f64_t *ret) {
    *ret = *value;
}

void exports_every_type_identity_variant(every_type_shape_t *value, every_type_shape_t *ret) {
    *ret = *value;
}

void exports_every_type_identity_record(every_type_point_t *value, every_type_point_t *ret) {
    *ret = *value;
}

void exports_every_type_identity_records(every_type_list_point_t *value,
                                         every_type_list_point_t *ret) {
    *ret = *value;
}

int32_t exports_every_type_exit(int32_t code) { return code + 1; }

// Allocates through libc, whose own malloc must be the one that is called.
uint32_t exports_every_type_malloc(uint32_t size) {
    unsigned char *memory = malloc(size);
    memset(memory, 1, size);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < size; i++) {
        sum += memory[i];
    }
    free(memory);
    return sum;
}

// Printing ends in libc's own write.
uint32_t exports_every_type_write(every_type_string_t *text) {
    int written = printf("%.*s\n", (int)text->len, (char *)text->ptr);
    fflush(stdout);
    every_type_string_free(text);
    return written;
}

void exports_every_type_abort(every_type_string_t *ret) { every_type_string_dup(ret, "not at all"); }

bool exports_every_type_fails(every_type_string_t *message, int32_t *ret, every_type_string_t *err) {
    (void)ret;
    puts("on standard output");
    fputs("on standard error\n", stderr);
    *err = *message;
    return false;
}

int32_t exports_every_type_asserts(int32_t number) {
    assert(number < 10);
    return number;
}

double exports_test_every_type_sums_total(every_type_list_f64_t *numbers) {
    double sum = 0;
    for (size_t i = 0; i < numbers->len; i++) {
        sum += numbers->ptr[i];
    }
    every_type_list_f64_free(numbers);
    return sum;
}
