// The procedures of wit/checksum.wit. Their declarations are in bindings/checksum.h, which `tarp build`
// makes.

#include "checksum.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t crc32(const uint8_t *data, size_t length) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

static uint32_t adler32(const uint8_t *data, size_t length) {
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < length; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

// What a procedure is given is its own to free. An option is a pointer that may be null.
uint32_t exports_checksum_checksum(checksum_list_u8_t *data, checksum_algorithm_t *algorithm) {
    checksum_algorithm_t chosen = algorithm ? *algorithm : CHECKSUM_ALGORITHM_CRC32;
    uint32_t sum = chosen == CHECKSUM_ALGORITHM_CRC32 ? crc32(data->ptr, data->len)
                                                      : adler32(data->ptr, data->len);
    checksum_list_u8_free(data);
    return sum;
}

// Strings have a length and no zero at their end.
static bool parse(checksum_string_t *text, uint32_t *number) {
    char digits[9] = "";
    if (text->len == 0 || text->len >= sizeof digits) {
        return false;
    }
    memcpy(digits, text->ptr, text->len);
    char *end;
    errno = 0;
    *number = strtoul(digits, &end, 16);
    return errno == 0 && end == digits + text->len;
}

// A result is a bool, true where it went well.
bool exports_checksum_verify(checksum_list_u8_t *data, checksum_string_t *expected,
                             checksum_string_t *err) {
    uint32_t wanted;
    uint32_t found = crc32(data->ptr, data->len);
    char message[80] = "";
    if (!parse(expected, &wanted)) {
        snprintf(message, sizeof message, "the expected checksum is no number of 8 hexadecimal digits");
    } else if (wanted != found) {
        snprintf(message, sizeof message, "the checksum is %08x, not %08x", found, wanted);
        fprintf(stderr, "of %zu bytes\n", data->len);
    }
    checksum_list_u8_free(data);
    checksum_string_free(expected);
    if (message[0]) {
        checksum_string_dup(err, message);
    }
    return !message[0];
}

uint32_t exports_checksum_strlen(checksum_list_u8_t *data) {
    uint32_t length = data->len;
    checksum_list_u8_free(data);
    return length;
}
