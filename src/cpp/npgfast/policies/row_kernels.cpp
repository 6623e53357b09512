#include "npgfast/policies/row_kernels.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "npgfast/base/simd.hpp"

namespace npgfast {

namespace {

constexpr Index kAhead = 4096;  // doubles of features that are prefetched before they are used
constexpr Index kLine = 8;      // doubles in a cache line

/// How a panel of A columns lies in registers: R rows of P packets of W lanes, eight packets at most.
template <int A>
struct PanelTile {
    static constexpr int L = static_cast<int>(panel_lanes(A));
    static constexpr int W = std::min(L, kSimdWidth);
    static constexpr int P = L / W;
    static constexpr int R = 8 / P;
    using Row = Packet<W>[P];
};

template <int A>
void load_row(const double* from, typename PanelTile<A>::Row& row) {
    using T = PanelTile<A>;
    alignas(64) double padded[T::L] = {};
    if constexpr (T::L != A) from = std::copy_n(from, A, padded) - A;
    for (int p = 0; p < T::P; ++p) row[p] = load<T::W>(from + p * T::W);
}

template <int A>
void store_row(double* to, const typename PanelTile<A>::Row& row) {
    using T = PanelTile<A>;
    alignas(64) double padded[T::L];
    double* target = T::L == A ? to : padded;
    for (int p = 0; p < T::P; ++p) store<T::W>(target + p * T::W, row[p]);
    if constexpr (T::L != A) std::copy_n(padded, A, to);
}

/// Prefetches a half of the lines that will follow a tile of R rows, or all, while its column j is worked on.
template <int R, int Half>
void prefetch_ahead(const double* phi, Index j, Prefetch share) {
    if (R == 1 || share == Prefetch::none || j % (2 * kLine / R) != 0) return;
    const double* next = phi + j * R + kAhead;
    prefetch(next + Half * kLine);
    if (share == Prefetch::all) prefetch(next + (1 - Half) * kLine);
}

/// The same for W columns from j on.
template <int R, int Half>
void prefetch_column_ahead(const double* phi, Index j, Prefetch share) {
    if (R == 1 || share == Prefetch::none) return;
    constexpr int kLines = R * kSimdWidth / kLine;
    const int first = share == Prefetch::all || Half == 0 ? 0 : kLines / 2;
    const int last = share == Prefetch::all || Half == 1 ? kLines : kLines / 2;
    for (int line = first; line < last; ++line) prefetch(phi + j * R + line * kLine + kAhead);
}

template <int A, int R>
void lift_tile(const double* phi, Index width, const double* packed, double* out, Index stride,
               Prefetch share) {
    using T = PanelTile<A>;
    typename T::Row sums[R];
    for (auto& row : sums)
        for (auto& sum : row) sum = Packet<T::W>{};
    for (Index j = 0; j < width; ++j) {
        typename T::Row w;
        for (int p = 0; p < T::P; ++p) w[p] = load<T::W>(packed + j * T::L + p * T::W);
        prefetch_ahead<R, 0>(phi, j, share);
        for (int r = 0; r < R; ++r) {
            const Packet<T::W> feature = broadcast<T::W>(phi[r * width + j]);
            for (int p = 0; p < T::P; ++p) sums[r][p] = multiply_add<T::W>(feature, w[p], sums[r][p]);
        }
    }
    for (int r = 0; r < R; ++r) store_row<A>(out + r * stride, sums[r]);
}

template <int A, int R>
void project_tile(const double* phi, Index width, Index phi_stride, const double* rows, Index stride, double* packed,
                  Prefetch share) {
    using T = PanelTile<A>;
    typename T::Row given[R];
    for (int r = 0; r < R; ++r) load_row<A>(rows + r * stride, given[r]);
    for (Index j = 0; j < width; ++j) {
        typename T::Row sum;
        for (int p = 0; p < T::P; ++p) sum[p] = load<T::W>(packed + j * T::L + p * T::W);
        prefetch_ahead<R, 1>(phi, j, share);
        for (int r = 0; r < R; ++r) {
            const Packet<T::W> feature = broadcast<T::W>(phi[r * phi_stride + j]);
            for (int p = 0; p < T::P; ++p) sum[p] = multiply_add<T::W>(feature, given[r][p], sum[p]);
        }
        for (int p = 0; p < T::P; ++p) store<T::W>(packed + j * T::L + p * T::W, sum[p]);
    }
}

/// A single column: features along the lanes.
template <int R>
void lift_column(const double* phi, Index width, const double* w, double* out, Index stride, Prefetch share) {
    constexpr int W = kSimdWidth;
    Packet<W> sums[R];
    for (auto& sum : sums) sum = Packet<W>{};
    Index j = 0;
    for (; j + W <= width; j += W) {
        const Packet<W> part = load<W>(w + j);
        prefetch_column_ahead<R, 0>(phi, j, share);
        for (int r = 0; r < R; ++r) sums[r] = multiply_add<W>(load<W>(phi + r * width + j), part, sums[r]);
    }
    for (int r = 0; r < R; ++r) {
        double sum = sum_of_lanes<W>(sums[r])[0];
        for (Index k = j; k < width; ++k) sum = multiply_add<1>(phi[r * width + k], w[k], sum);
        out[r * stride] = sum;
    }
}

template <int R>
void project_column(const double* phi, Index width, Index phi_stride, const double* rows, Index stride, double* sums,
                    Prefetch share) {
    constexpr int W = kSimdWidth;
    Packet<W> given[R];
    for (int r = 0; r < R; ++r) given[r] = broadcast<W>(rows[r * stride]);
    Index j = 0;
    for (; j + W <= width; j += W) {
        Packet<W> sum = load<W>(sums + j);
        prefetch_column_ahead<R, 1>(phi, j, share);
        for (int r = 0; r < R; ++r) sum = multiply_add<W>(load<W>(phi + r * phi_stride + j), given[r], sum);
        store<W>(sums + j, sum);
    }
    for (; j < width; ++j)
        for (int r = 0; r < R; ++r) sums[j] = multiply_add<1>(phi[r * phi_stride + j], rows[r * stride], sums[j]);
}

template <int A>
void lift_panel(const double* phi, Index n, Index width, const double* packed, double* out, Index stride,
               Prefetch share) {
    const auto rows = [&]<int R>(Index i) {
        if constexpr (A == 1)
            lift_column<R>(phi + i * width, width, packed, out + i * stride, stride, share);
        else
            lift_tile<A, R>(phi + i * width, width, packed, out + i * stride, stride, share);
    };
    constexpr int R = PanelTile<A>::R;
    Index i = 0;
    for (; i + R <= n; i += R) rows.template operator()<R>(i);
    for (; i < n; ++i) rows.template operator()<1>(i);
}

template <int A>
void project_panel(const double* phi, Index n, Index width, Index phi_stride, const double* given, Index stride,
                   double* packed, Prefetch share) {
    const auto rows = [&]<int R>(Index i) {
        if constexpr (A == 1)
            project_column<R>(phi + i * phi_stride, width, phi_stride, given + i * stride, stride, packed, share);
        else
            project_tile<A, R>(phi + i * phi_stride, width, phi_stride, given + i * stride, stride, packed, share);
    };
    constexpr int R = PanelTile<A>::R;
    Index i = 0;
    for (; i + R <= n; i += R) rows.template operator()<R>(i);
    for (; i < n; ++i) rows.template operator()<1>(i);
}

template <std::size_t... K>
constexpr auto lift_table(std::index_sequence<K...>) {
    return std::array{&lift_panel<static_cast<int>(K) + 1>...};
}
template <std::size_t... K>
constexpr auto project_table(std::index_sequence<K...>) {
    return std::array{&project_panel<static_cast<int>(K) + 1>...};
}
constexpr auto kLift = lift_table(std::make_index_sequence<kPanel>{});
constexpr auto kProject = project_table(std::make_index_sequence<kPanel>{});

}  // namespace

void lift_rows(const double* phi, Index n, Index width, Index columns, const double* packed, double* out, Index stride,
               Prefetch share) {
    kLift[static_cast<std::size_t>(columns - 1)](phi, n, width, packed, out, stride, share);
}

void project_rows(const double* phi, Index n, Index width, Index phi_stride, Index columns, const double* rows,
                  Index stride, double* packed, Prefetch share) {
    kProject[static_cast<std::size_t>(columns - 1)](phi, n, width, phi_stride, rows, stride, packed, share);
}

}  // namespace npgfast
