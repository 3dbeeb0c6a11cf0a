/* Linear antialiased resampling of one crop, axis after axis, as resampling.py says it.

   Results are those of numpy.py, bit for bit. Floats: sums of products in float64, in the order of the cells, products and
   sums rounded one by one (-ffp-contract=off); rounded to the dtype behind the last axis. Whole numbers: all sums are
   exact, whatever their order. A weight is a binary fraction of 16 bits at most, weights are not negative, and sum to 1: a
   mean of uint8 has 8 bits before and 16 behind the point, which is what float32 holds; those of further axes, and of 16
   bits, have at most 16 and 36, which float64 holds.

   Nothing here checks its arguments: whoever calls has done so. There is no header of Python, NumPy or torch. */

#include "exact.h"

/* Into the version for every processor, and into the wide one; one function of all would be watched for ever. */
#if defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static
#endif

#define MOST_AXES 8
#define LANES 16  /* sums that are added up at once */
#define LINES 16  /* lines that are resized at once along themselves */
#define PIECE 1024 /* numbers of a line that are written at once */

enum { FLOAT32, FLOAT64, UINT8, UINT16, INT16 };
static const int64_t ITEM[] = {4, 8, 1, 2, 2};

typedef struct {
  const uint8_t *given;      /* the crop */
  uint8_t *out;              /* the result, apart from it */
  uint8_t *work;             /* of this thread alone */
  int64_t room;              /* bytes of it */
  int64_t dtype;             /* of both */
  int64_t rank, axes, count; /* axes of the crop; how many are mixed; how many of these are resized or mirrored */
  int64_t each[];            /* of every axis: its lengths in both, its steps in both, in bytes; and the axes that are
                                resized or mirrored, one after the other: five arrays of `rank` numbers */
} Resize;

/* ------------------------------------------------------------------------------------------ weights */

/* Two cells and their weights as whole numbers, of which products and sums are whole numbers of 24 bits at most. */
typedef struct {
  int64_t first, second; /* in bytes, counted from the first one that is read */
  int32_t weight, other; /* of 15 bits */
} Pair;

typedef struct {
  int64_t cells, count, most;
  int64_t *first, *taps; /* (count,): the first cell that is read, and how many are */
  double *weight;        /* (count, most) */
  Pair *pairs;           /* the same of uint8, (count, most / 2 + 2) */
  int64_t *paired;       /* (count,): how many */
  float unit;            /* of their weights */
} Bands;

static int64_t most_taps(int64_t cells, int64_t count) {
  const int64_t longer = cells > count ? cells : count, taps = (2 * longer + count - 1) / count;
  return taps < cells ? taps : cells;
}

static int64_t weight_bits(int64_t axes) { return 36 / axes < 16 ? 36 / axes : 16; }

/* See linear_taps: whole numbers, but for the quotient, which is rounded to so many bits. */
static void weigh(const Bands *bands, int64_t axes) {
  const int64_t cells = bands->cells, count = bands->count;
  const int64_t reach = 2 * (cells > count ? cells : count);
  const double steps = (double)((int64_t)1 << weight_bits(axes));
  for (int64_t step = 0; step < count; step++) {
    double *weight = bands->weight + step * bands->most, sum = 0.0, rounded = 0.0;
    int64_t centre = (2 * step + 1) * cells - count, first = 0, from = 0, taps = 0, largest = 0;
    if (centre < 0) centre = 0;
    if (centre > 2 * count * (cells - 1)) centre = 2 * count * (cells - 1);
    if (centre >= reach) first = (centre - reach) / (2 * count) + 1;
    for (int64_t tap = 0; tap < bands->most && first + tap < cells; tap++) {
      const int64_t apart = 2 * count * (first + tap) - centre, left = reach - (apart < 0 ? -apart : apart);
      if (left <= 0) break;
      weight[taps++] = (double)left;
      sum += (double)left;
    }
    for (int64_t tap = 0; tap < taps; tap++) {
      weight[tap] = rint(weight[tap] * steps / sum) / steps;
      rounded += weight[tap];
      if (weight[tap] > weight[largest]) largest = tap;
    }
    weight[largest] += 1.0 - rounded;
    while (weight[from] == 0.0) from++; /* what has no weight is not read: it may be infinite */
    while (weight[taps - 1] == 0.0) taps--;
    bands->first[step] = first + from;
    bands->taps[step] = taps - from;
    if (from) memmove(weight, weight + from, (size_t)(taps - from) * sizeof *weight);
  }
}

static void append(Pair *pairs, int64_t *count, int64_t place, int64_t weight) {
  Pair *pair = pairs + *count / 2;
  if (*count % 2 == 0) pair->first = pair->second = place, pair->weight = (int32_t)weight, pair->other = 0;
  if (*count % 2 == 1) pair->second = place, pair->other = (int32_t)weight;
  ++*count;
}

/* Weights of more than 15 bits are those of several cells, all of them the same. */
static void pair_up(Bands *bands, int64_t axes, int64_t cell_step) {
  const int64_t steps = (int64_t)1 << weight_bits(axes), most = 32767;
  bands->unit = 1.0f / (float)steps;
  for (int64_t step = 0; step < bands->count; step++) {
    Pair *pairs = bands->pairs + step * (bands->most / 2 + 2);
    int64_t count = 0;
    for (int64_t tap = 0; tap < bands->taps[step]; tap++) {
      int64_t left = (int64_t)(bands->weight[step * bands->most + tap] * (double)steps);
      for (; left > most; left -= most) append(pairs, &count, tap * cell_step, most);
      append(pairs, &count, tap * cell_step, left);
    }
    bands->paired[step] = (count + 1) / 2;
  }
}

/* ------------------------------------------------------------------------------------------ sums of n neighbours */

/* Several numbers at once, where the compiler has such a type; else one. */
#if defined(__GNUC__)
#define MANY(TYPE, NAME, COUNT) typedef TYPE NAME __attribute__((vector_size(COUNT * sizeof(TYPE)), aligned(1), may_alias))
#define CONVERTED(value, TYPE) __builtin_convertvector(value, TYPE)
#else
#define MANY(TYPE, NAME, COUNT) typedef TYPE NAME
#define CONVERTED(value, TYPE) (TYPE)(value)
#endif
MANY(double, Doubles, 4);
MANY(float, Floats, 4);
MANY(uint16_t, Uint16s, 4);
MANY(int16_t, Int16s, 4);
MANY(int32_t, Int32s, 4);

#define SUMS(NAME, FROM, MANY_FROM, VIA)                                                                               \
  INLINE void NAME(double *out, const uint8_t *given, int64_t step, int64_t taps, const double *weight, int64_t n) {   \
    const int64_t each = (int64_t)(sizeof(Doubles) / sizeof(double)), block = 4 * each;                                \
    for (int64_t i = 0; i + block <= n;) {                                                                             \
      Doubles a = {0}, b = {0}, c = {0}, d = {0}, *to = (Doubles *)(out + i);                                          \
      const uint8_t *cell = given + i * (int64_t)sizeof(FROM);                                                         \
      for (int64_t tap = 0; tap < taps; tap++, cell += step) {                                                         \
        const MANY_FROM *some = (const MANY_FROM *)cell;                                                               \
        a = a + weight[tap] * CONVERTED(CONVERTED(some[0], VIA), Doubles);                                             \
        b = b + weight[tap] * CONVERTED(CONVERTED(some[1], VIA), Doubles);                                             \
        c = c + weight[tap] * CONVERTED(CONVERTED(some[2], VIA), Doubles);                                             \
        d = d + weight[tap] * CONVERTED(CONVERTED(some[3], VIA), Doubles);                                             \
      }                                                                                                                \
      to[0] = a, to[1] = b, to[2] = c, to[3] = d;                                                                      \
      if (i + block == n) return;                                                                                      \
      i = i + 2 * block <= n ? i + block : n - block; /* the last ones overlap */                                      \
    }                                                                                                                  \
    for (int64_t i = 0; i < n && n < block; i++) {                                                                     \
      double total = 0;                                                                                                \
      const uint8_t *cell = given;                                                                                     \
      for (int64_t tap = 0; tap < taps; tap++, cell += step) total = total + weight[tap] * (double)((const FROM *)cell)[i]; \
      out[i] = total;                                                                                                  \
    }                                                                                                                  \
  }

SUMS(sums_of_uint16, uint16_t, Uint16s, Int32s)
SUMS(sums_of_int16, int16_t, Int16s, Int32s)
SUMS(sums_of_float32, float, Floats, Floats)
SUMS(sums_of_float64, double, Doubles, Doubles)

#ifdef WIDE_LOOPS
/* 16 neighbours: their sums are added to four at once. */
#define ADD_PAIR(at, a, b, c, d)                                                                                       \
  do {                                                                                                                 \
    const __m128i first = _mm_loadu_si128((const __m128i *)(given + pair->first + (at)));                              \
    const __m128i second = _mm_loadu_si128((const __m128i *)(given + pair->second + (at)));                            \
    const __m128i low = _mm_unpacklo_epi8(first, second), high = _mm_unpackhi_epi8(first, second);                     \
    a = _mm_add_epi32(a, _mm_madd_epi16(_mm_unpacklo_epi8(low, zero), weight));                                        \
    b = _mm_add_epi32(b, _mm_madd_epi16(_mm_unpackhi_epi8(low, zero), weight));                                        \
    c = _mm_add_epi32(c, _mm_madd_epi16(_mm_unpacklo_epi8(high, zero), weight));                                       \
    d = _mm_add_epi32(d, _mm_madd_epi16(_mm_unpackhi_epi8(high, zero), weight));                                       \
  } while (0)

INLINE void store_sums(float *out, __m128i a, __m128i b, __m128i c, __m128i d, __m128 unit) {
  _mm_storeu_ps(out, _mm_mul_ps(_mm_cvtepi32_ps(a), unit));
  _mm_storeu_ps(out + 4, _mm_mul_ps(_mm_cvtepi32_ps(b), unit));
  _mm_storeu_ps(out + 8, _mm_mul_ps(_mm_cvtepi32_ps(c), unit));
  _mm_storeu_ps(out + 12, _mm_mul_ps(_mm_cvtepi32_ps(d), unit));
}
#endif

INLINE void sums_of_uint8(float *out, const uint8_t *given, const Pair *pairs, int64_t count, float unit, int64_t n) {
  int64_t i = 0;
#ifdef WIDE_LOOPS
  const __m128i zero = _mm_setzero_si128();
  const __m128 units = _mm_set1_ps(unit);
  for (; i + 32 <= n; i += 32) {
    __m128i a = zero, b = zero, c = zero, d = zero, e = zero, f = zero, g = zero, h = zero;
    for (const Pair *pair = pairs; pair < pairs + count; pair++) {
      const __m128i weight = _mm_set1_epi32((int32_t)((uint32_t)pair->other << 16 | (uint32_t)pair->weight));
      ADD_PAIR(i, a, b, c, d);
      ADD_PAIR(i + 16, e, f, g, h);
    }
    store_sums(out + i, a, b, c, d, units);
    store_sums(out + i + 16, e, f, g, h, units);
  }
  while (n >= 16 && i < n) {
    if (i + 16 > n) i = n - 16; /* the last ones overlap */
    __m128i a = zero, b = zero, c = zero, d = zero;
    for (const Pair *pair = pairs; pair < pairs + count; pair++) {
      const __m128i weight = _mm_set1_epi32((int32_t)((uint32_t)pair->other << 16 | (uint32_t)pair->weight));
      ADD_PAIR(i, a, b, c, d);
    }
    store_sums(out + i, a, b, c, d, units);
    i += 16;
  }
#endif
  for (; i < n; i++) {
    int32_t total = 0;
    for (const Pair *pair = pairs; pair < pairs + count; pair++)
      total += pair->weight * given[pair->first + i] + pair->other * given[pair->second + i];
    out[i] = (float)total * unit;
  }
}

/* What sums of a dtype are: floats of uint8, and doubles of all others. */
INLINE int64_t sum_dtype(int64_t dtype) { return dtype == UINT8 ? FLOAT32 : FLOAT64; }

INLINE void sums(int64_t dtype, uint8_t *out, const uint8_t *given, int64_t step, const Bands *bands, int64_t place,
                 int64_t n) {
  const int64_t taps = bands->taps[place];
  const double *weight = bands->weight + place * bands->most;
  given += bands->first[place] * step;
  switch (dtype) {
    case UINT8: {
      const Pair *pairs = bands->pairs + place * (bands->most / 2 + 2);
      sums_of_uint8((float *)out, given, pairs, bands->paired[place], bands->unit, n);
      break;
    }
    case UINT16: sums_of_uint16((double *)out, given, step, taps, weight, n); break;
    case INT16: sums_of_int16((double *)out, given, step, taps, weight, n); break;
    case FLOAT32: sums_of_float32((double *)out, given, step, taps, weight, n); break;
    case FLOAT64: sums_of_float64((double *)out, given, step, taps, weight, n); break;
  }
}

/* ------------------------------------------------------------------------------------------ rounding */

/* The nearest whole number, half to even: there is no room for what follows the point. */
#define NO_FRACTION 6755399441055744.0

/* Sums as floats: rounded to these, or to a whole number, if that is what they become. */
INLINE void settle(int64_t dtype, float *out, const double *total, int64_t n) {
  if (dtype == FLOAT32)
    for (int64_t i = 0; i < n; i++) out[i] = (float)total[i];
  else
    for (int64_t i = 0; i < n; i++) out[i] = (float)((total[i] + NO_FRACTION) - NO_FRACTION);
}

INLINE void narrow(int64_t dtype, uint8_t *out, const float *number, int64_t n) {
  switch (dtype) {
    case FLOAT32: memcpy(out, number, (size_t)n * 4); break;
    case UINT8:
      for (int64_t i = 0; i < n; i++) out[i] = (uint8_t)(int32_t)number[i];
      break;
    case UINT16:
      for (int64_t i = 0; i < n; i++) ((uint16_t *)out)[i] = (uint16_t)(int32_t)number[i];
      break;
    case INT16:
      for (int64_t i = 0; i < n; i++) ((int16_t *)out)[i] = (int16_t)(int32_t)number[i];
      break;
  }
}

/* ------------------------------------------------------------------------------------------ one axis */

/* One axis of an array, all others of which stay as they are. Behind it, `run` numbers lie dense in both; all other axes
   are gone through, line by line. */
typedef struct {
  const uint8_t *given; /* the first cell of all, or of a mirrored axis the last */
  uint8_t *out;
  int64_t dtype, out_dtype;
  int64_t step, out_step, run, lines, loops;
  int64_t lengths[MOST_AXES], steps[MOST_AXES], out_steps[MOST_AXES]; /* of the axes that are gone through */
  Bands bands;
} Pass;

/* Where a line begins, counted from the first, with the given steps. */
INLINE int64_t place_of(const Pass *pass, const int64_t *steps, int64_t line) {
  int64_t place = 0;
  for (int64_t axis = pass->loops - 1; axis >= 0; axis--) {
    place += line % pass->lengths[axis] * steps[axis];
    line /= pass->lengths[axis];
  }
  return place;
}

/* Neighbours that lie behind the axis are lanes. */
INLINE void resize_beside(const Pass *pass) {
  double total[PIECE];
  float few[PIECE], number[PIECE];
  const int64_t given_item = ITEM[pass->dtype], item = ITEM[pass->out_dtype], sum = sum_dtype(pass->dtype);
  for (int64_t line = 0; line < pass->lines; line++) {
    const uint8_t *given = pass->given + place_of(pass, pass->steps, line);
    uint8_t *all = pass->out + place_of(pass, pass->out_steps, line);
    for (int64_t from = 0; from < pass->run; from += PIECE) {
      const int64_t n = pass->run - from < PIECE ? pass->run - from : PIECE;
      for (int64_t place = 0; place < pass->bands.count; place++) {
        uint8_t *out = all + place * pass->out_step + from * item;
        if (pass->out_dtype == sum) {
          sums(pass->dtype, out, given + from * given_item, pass->step, &pass->bands, place, n);
          continue;
        }
        if (sum == FLOAT32) {
          sums(pass->dtype, (uint8_t *)few, given + from * given_item, pass->step, &pass->bands, place, n);
          for (int64_t i = 0; i < n; i++) total[i] = few[i];
        } else {
          sums(pass->dtype, (uint8_t *)total, given + from * given_item, pass->step, &pass->bands, place, n);
        }
        settle(pass->out_dtype, number, total, n);
        narrow(pass->out_dtype, out, number, n);
      }
    }
  }
}

/* Numbers of a line as floats, which hold all dtypes but float64. */
INLINE void widen(int64_t dtype, float *out, const uint8_t *given, int64_t n) {
  switch (dtype) {
    case FLOAT32: memcpy(out, given, (size_t)n * 4); break;
    case UINT8:
      for (int64_t i = 0; i < n; i++) out[i] = given[i];
      break;
    case UINT16:
      for (int64_t i = 0; i < n; i++) out[i] = ((const uint16_t *)given)[i];
      break;
    case INT16:
      for (int64_t i = 0; i < n; i++) out[i] = ((const int16_t *)given)[i];
      break;
  }
}

/* Lines of n numbers side by side, in double: lanes[i][line] = lines[line][i]. */
INLINE void weave_floats(double *lanes, const float *const *lines, int64_t n, int64_t count) {
  int64_t i = 0;
#ifdef WIDE_LOOPS
  for (; i + 4 <= n; i += 4)
    for (int64_t line = 0; line < count; line += 4) {
      __m128 a = _mm_loadu_ps(lines[line] + i), b = _mm_loadu_ps(lines[line + 1] + i);
      __m128 c = _mm_loadu_ps(lines[line + 2] + i), d = _mm_loadu_ps(lines[line + 3] + i);
      double *out = lanes + i * count + line;
      _MM_TRANSPOSE4_PS(a, b, c, d);
      *(Doubles *)out = CONVERTED((Floats)a, Doubles);
      *(Doubles *)(out + count) = CONVERTED((Floats)b, Doubles);
      *(Doubles *)(out + 2 * count) = CONVERTED((Floats)c, Doubles);
      *(Doubles *)(out + 3 * count) = CONVERTED((Floats)d, Doubles);
    }
#endif
  for (; i < n; i++)
    for (int64_t line = 0; line < count; line++) lanes[i * count + line] = lines[line][i];
}

INLINE void weave_doubles(double *lanes, const double *const *lines, int64_t n, int64_t count) {
  int64_t i = 0;
#ifdef WIDE_LOOPS
  for (; i + 2 <= n; i += 2)
    for (int64_t line = 0; line < count; line += 2) {
      const __m128d a = _mm_loadu_pd(lines[line] + i), b = _mm_loadu_pd(lines[line + 1] + i);
      _mm_storeu_pd(lanes + i * count + line, _mm_unpacklo_pd(a, b));
      _mm_storeu_pd(lanes + (i + 1) * count + line, _mm_unpackhi_pd(a, b));
    }
#endif
  for (; i < n; i++)
    for (int64_t line = 0; line < count; line++) lanes[i * count + line] = lines[line][i];
}

/* And back: line[i] = lanes[i][0], the next line `apart` numbers behind. n is a multiple of 4. */
INLINE void unweave_floats(float *line, int64_t apart, const float *lanes, int64_t n, int64_t count) {
  for (int64_t own = 0; own < count; own += 4, line += 4 * apart)
    for (int64_t i = 0; i < n; i += 4) {
      const float *from = lanes + i * count + own;
#ifdef WIDE_LOOPS
      __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + count);
      __m128 c = _mm_loadu_ps(from + 2 * count), d = _mm_loadu_ps(from + 3 * count);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      _mm_storeu_ps(line + i, a);
      _mm_storeu_ps(line + apart + i, b);
      _mm_storeu_ps(line + 2 * apart + i, c);
      _mm_storeu_ps(line + 3 * apart + i, d);
#else
      for (int64_t k = 0; k < 4; k++)
        for (int64_t j = 0; j < 4; j++) line[k * apart + i + j] = from[j * count + k];
#endif
    }
}

/* Several lines at once are lanes: what lies behind the axis is too short for that. */
INLINE void resize_along(const Pass *pass, const Pass *before, uint8_t *work) {
  const Bands *bands = &pass->bands;
  const int64_t run = pass->run, n = bands->cells * run, item = ITEM[pass->out_dtype];
  const int64_t count = run == 1 ? LINES : run < 4 ? LINES / 2 : LINES / 4, lanes_step = run * count;
  const int doubles = before ? sum_dtype(before->dtype) == FLOAT64 : pass->dtype == FLOAT64;
  const int64_t places = run < 64 ? 64 / run : 1, most = (places * run + 3) / 4 * 4;
  const int64_t length = (n * (doubles ? 8 : 4) + 63) / 64 * 64 + 64; /* in bytes; not all at the same place in the cache */
  uint8_t *held = work;                                    /* `count` lines */
  double *lanes = (double *)(held + count * length);       /* (n, count) */
  double *total = lanes + n * count;                       /* (most, count) */
  float *settled = (float *)(total + most * count);        /* alike */
  float *number = settled + most * count;                  /* (count, most) */
  const double *from_lanes = pass->step < 0 ? lanes + (bands->cells - 1) * lanes_step : lanes;
  const int64_t cell_step = (pass->step < 0 ? -8 : 8) * lanes_step;
  memset(total, 0, (size_t)(most * count) * 8);
  for (int64_t begin = 0; begin < pass->lines; begin += count) {
    const int64_t here = pass->lines - begin < count ? pass->lines - begin : count;
    const uint8_t *lines[LINES];
    for (int64_t own = 0; own < count; own++) {
      if (own >= here) {
        lines[own] = lines[0];
        continue;
      }
      const int64_t line = begin + own;
      lines[own] = held + own * length;
      if (before) {
        const int64_t outer = line / before->bands.count, place = line % before->bands.count;
        sums(before->dtype, held + own * length, before->given + place_of(before, before->steps, outer), before->step,
             &before->bands, place, n);
        continue;
      }
      const uint8_t *given = pass->given + place_of(pass, pass->steps, line);
      const int64_t step = pass->step < 0 ? -pass->step : pass->step;
      if (pass->step < 0) given -= (bands->cells - 1) * step; /* it is mirrored when it is read again */
      const int dense = step == run * ITEM[pass->dtype];
      if (dense && pass->dtype <= FLOAT64)
        lines[own] = given;
      else if (doubles)
        for (int64_t cell = 0; cell < bands->cells; cell++)
          memcpy(held + own * length + cell * run * 8, given + cell * step, (size_t)run * 8);
      else if (dense)
        widen(pass->dtype, (float *)lines[own], given, n);
      else
        for (int64_t cell = 0; cell < bands->cells; cell++)
          widen(pass->dtype, (float *)lines[own] + cell * run, given + cell * step, run);
    }
    if (doubles)
      weave_doubles(lanes, (const double *const *)lines, n, count);
    else
      weave_floats(lanes, (const float *const *)lines, n, count);
    for (int64_t place = 0; place < bands->count; place += places) {
      const int64_t some = bands->count - place < places ? bands->count - place : places;
      for (int64_t next = 0; next < some; next++)
        sums_of_float64(total + next * lanes_step, (const uint8_t *)from_lanes + bands->first[place + next] * cell_step,
                        cell_step, bands->taps[place + next], bands->weight + (place + next) * bands->most, lanes_step);
      if (pass->out_dtype == FLOAT64) {
        for (int64_t own = 0; own < here; own++) {
          uint8_t *out = pass->out + place_of(pass, pass->out_steps, begin + own) + place * pass->out_step;
          for (int64_t next = 0; next < some; next++)
            for (int64_t i = 0; i < run; i++)
              ((double *)(out + next * pass->out_step))[i] = total[(next * run + i) * count + own];
        }
        continue;
      }
      settle(pass->out_dtype, settled, total, some * lanes_step);
      unweave_floats(number, most, settled, (some * run + 3) / 4 * 4, count);
      for (int64_t own = 0; own < here; own++) {
        uint8_t *out = pass->out + place_of(pass, pass->out_steps, begin + own) + place * pass->out_step;
        if (pass->out_step == run * item)
          narrow(pass->out_dtype, out, number + own * most, some * run);
        else
          for (int64_t next = 0; next < some; next++)
            narrow(pass->out_dtype, out + next * pass->out_step, number + own * most + next * run, run);
      }
    }
  }
}

/* ------------------------------------------------------------------------------------------ all axes */

typedef struct {
  uint8_t *free;
} Work;

static void *taken(Work *work, int64_t bytes) {
  uint8_t *here = work->free;
  work->free += (bytes + 63) / 64 * 64;
  return here;
}

static Bands bands_of(int64_t dtype, int64_t cells, int64_t count, int64_t step, int64_t axes, Work *work) {
  Bands bands = {0};
  bands.cells = cells, bands.count = count, bands.most = most_taps(cells, count);
  bands.first = taken(work, 8 * count);
  bands.taps = taken(work, 8 * count);
  bands.weight = taken(work, 8 * count * bands.most);
  weigh(&bands, axes);
  if (dtype != UINT8) return bands;
  bands.pairs = taken(work, (int64_t)sizeof(Pair) * count * (bands.most / 2 + 2));
  bands.paired = taken(work, 8 * count);
  pair_up(&bands, axes, step);
  return bands;
}

/* Bytes of work that are enough; most of them are touched where they are needed alone. */
static int64_t room_of(const Resize *job) {
  int64_t lengths[MOST_AXES], bytes = 0;
  const int64_t *counts = job->each + job->rank, *order = job->each + 4 * job->rank;
  memcpy(lengths, job->each, (size_t)job->rank * sizeof *lengths);
  for (int64_t number = 0; number < job->count; number++) {
    const int64_t axis = order[number], cells = lengths[axis], count = counts[axis];
    int64_t items = 1;
    lengths[axis] = count;
    for (int64_t other = 0; other < job->rank; other++) items *= lengths[other];
    bytes += (24 + 48 + 20 * most_taps(cells, count)) * count + 8 * items + 6 * 64;  /* weights, and what comes out */
    bytes += 2 * 8 * 4 * LINES * cells + 2 * 64 * LINES + 16 * 4 * LINES * 64 + 64;      /* lines */
  }
  return bytes;
}

/* A view: of the crop, of the result, or of what is between two axes. */
typedef struct {
  uint8_t *start;
  int64_t dtype;
  int64_t lengths[MOST_AXES], steps[MOST_AXES];
} View;

/* What an axis makes of an array, as sums that lie dense in memory of its own. */
static View between(const View *given, int64_t rank, int64_t axis, int64_t count, Work *work) {
  View out = *given;
  out.dtype = sum_dtype(given->dtype);
  out.lengths[axis] = count;
  int64_t step = ITEM[out.dtype];
  for (int64_t other = rank - 1; other >= 0; other--) {
    out.steps[other] = step;
    step *= out.lengths[other];
  }
  out.start = taken(work, step);
  return out;
}

/* Reads an axis from behind. */
static void turn(View *view, int64_t axis) {
  view->start += (view->lengths[axis] - 1) * view->steps[axis];
  view->steps[axis] = -view->steps[axis];
}

static Pass pass_of(const View *given, const View *out, int64_t rank, int64_t axis, int64_t axes, Work *work) {
  Pass pass = {0};
  int64_t last = rank - 1;
  pass.given = given->start, pass.out = out->start, pass.dtype = given->dtype, pass.out_dtype = out->dtype;
  pass.step = given->steps[axis], pass.out_step = out->steps[axis], pass.run = pass.lines = 1;
  while (last > axis && (given->lengths[last] == 1 || (given->steps[last] == pass.run * ITEM[given->dtype] &&
                                                       out->steps[last] == pass.run * ITEM[out->dtype])))
    pass.run *= given->lengths[last--];
  for (int64_t other = 0; other <= last; other++) {
    if (other == axis) continue;
    pass.lengths[pass.loops] = given->lengths[other];
    pass.steps[pass.loops] = given->steps[other];
    pass.out_steps[pass.loops++] = out->steps[other];
    pass.lines *= given->lengths[other];
  }
  pass.bands = bands_of(given->dtype, given->lengths[axis], out->lengths[axis], pass.step, axes, work);
  return pass;
}

INLINE void resize(const Resize *job) {
  Work work = {job->work};
  const int64_t rank = job->rank;
  int mirrored[MOST_AXES] = {0};
  View given = {(uint8_t *)job->given, job->dtype, {0}, {0}}, out = {job->out, job->dtype, {0}, {0}};
  const int64_t *counts = job->each + rank, *order = job->each + 4 * rank;
  for (int64_t axis = 0; axis < rank; axis++) {
    given.lengths[axis] = job->each[axis], given.steps[axis] = counts[axis + rank];
    out.lengths[axis] = counts[axis], out.steps[axis] = counts[axis + 2 * rank];
  }
  for (int64_t number = 0; number < job->count; number++) {
    const int64_t axis = order[number];
    mirrored[axis] = given.steps[axis] < 0; /* as it lies in memory, until its turn has come */
    if (mirrored[axis]) turn(&given, axis);
  }
  for (int64_t number = 0; number < job->count; number++) {
    const int64_t axis = order[number];
    const int last = number + 1 == job->count;
    if (mirrored[axis]) turn(&given, axis);
    View mean = last ? out : between(&given, rank, axis, counts[axis], &work);
    const Pass pass = pass_of(&given, &mean, rank, axis, job->axes, &work);
    const Pass *own = &pass, *before = NULL;
    Pass next;
    given = mean;
    if (number + 2 == job->count && order[number + 1] == axis + 1) {
      /* The next axis lies behind this one: its lines are made one by one, and not kept. */
      if (mirrored[axis + 1]) turn(&mean, axis + 1);
      Work more = work;
      next = pass_of(&mean, &out, rank, axis + 1, job->axes, &more);
      if (next.run < LANES && pass.loops == axis && next.loops == axis + 1) own = &next, before = &pass, work = more, number++;
    }
    if (!before && (pass.run >= LANES || pass.lines < 4))
      resize_beside(own);
    else
      resize_along(own, before, work.free);
  }
}

#ifdef WIDE_LOOPS
__attribute__((target("avx2"))) static void resize_wide(const Resize *job) { resize(job); }
#endif
static void resize_anywhere(const Resize *job) { resize(job); }

/* Resizes a crop. Tells how many bytes of work are needed, and does nothing where there are fewer. */
EXPORT int64_t mixtransforms_resize(const Resize *job) {
  const int64_t room = room_of(job);
  if (room > job->room) return room;
#ifdef WIDE_LOOPS
  if (__builtin_cpu_supports("avx2")) {
    resize_wide(job);
    return room;
  }
#endif
  resize_anywhere(job);
  return room;
}
