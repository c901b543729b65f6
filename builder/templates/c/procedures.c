// The procedures of @name@.wit. Their declarations are in bindings/@name@.h, which `tarp build` makes.

#include "@name@.h"
#include "statistics.h"

// What a procedure is given is its own to free. A result<f64, string> is a bool that says whether it
// went well, and a place for either outcome.
bool exports_@name@_mean(@name@_list_f64_t *values, double *ret, @name@_string_t *err) {
    bool any = values->len > 0;
    if (any) {
        *ret = mean(values->ptr, values->len);
    } else {
        @name@_string_dup(err, "values is empty");
    }
    @name@_list_f64_free(values);
    return any;
}
