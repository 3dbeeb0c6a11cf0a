/* What all files of the compiled kernel begin with: numbers are rounded as their types say. */

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "Products and sums would be kept in more digits than their type has."
#endif
#if defined(_MSC_VER)
#pragma fp_contract(off)
#endif

/* Loops are compiled twice there, for any processor and for wide ones. */
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define WIDE_LOOPS 1
#endif

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
