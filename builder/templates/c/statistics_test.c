#include <assert.h>
#include <stdio.h>

#include "statistics.h"

int main(void) {
    assert(mean((double[]){1, 2, 6}, 3) == 3);
    assert(mean((double[]){-0.5}, 1) == -0.5);
    puts("ok");
}
