#include "npgfast/exact/sweeps.hpp"

#include <cmath>

namespace npgfast {

namespace {

constexpr double kRounding = 1e-15;      // a residual that is as good as any
constexpr double kNearRounding = 1e-13;  // where a residual that stands still is not a slow chain
constexpr double kSlowestRate = 0.75;    // of a sweep; below it the Krylov method is faster
constexpr Index kBlocks = 8;
constexpr int kFirstSweeps = 2, kMostSweeps = 8;
constexpr int kMostValueSweeps = 4;   // the correction of values is inexact while other errors are large
constexpr int kMostSplitSweeps = 10;  // where a residual costs much more than a sweep

/// Largest magnitudes and sums over some rows; `size` is that of b and x.
struct Extent {
    double residual = 0.0, size = 0.0, residual_sum = 0.0, image_sum = 0.0;

    void add(const Extent& other) {
        residual = std::max(residual, other.residual);
        size = std::max(size, other.size);
        residual_sum += other.residual_sum;
        image_sum += other.image_sum;
    }
};

}  // namespace

Sweeps sweep(const SplitMatrix& kernel, Reals inverse_diagonal, Reals row_deficits, Reals b, MutableReals solution,
             int n_only, Team& team, const Interrupt& interrupt) {
    constexpr Index kPart = BlockSums::kBlock;
    const Index n = kernel.n(), n_parts = (n + kPart - 1) / kPart;
    const bool is_constant = !row_deficits.empty();
    const Index block = (n + kBlocks - 1) / kBlocks;
    const bool is_large = kernel.common.is_large();
    Buffer<double> x(n);        // gathered from: on huge pages where it is large
    const bool is_split = kernel.rare.n > 0;
    Buffer<double> right(is_split ? n : 0);  // b and what the rare entries add to it, as of the last residual
    const double* rhs = is_split ? right.data() : b.data();
    Buffer<double> scratch(n);  // residuals, or the new values of a block
    const auto copy = [&](const double* from, double* to) {
        team.split(n, [&](Index first, Index last) { std::copy(from + first, from + last, to + first); });
    };
    copy(solution.data(), x.data());
    const auto finish = [&](double residual, bool stalled) {
        copy(x.data(), solution.data());
        return Sweeps{residual, stalled};
    };
    std::vector<Extent> extents(static_cast<std::size_t>(n_parts));
    double previous = HUGE_VAL;
    const int most_sweeps = is_split ? kMostSplitSweeps : is_constant ? kMostValueSweeps : kMostSweeps;
    int n_sweeps = n_only > 0 ? n_only : kFirstSweeps;
    for (int cycle = 0;; ++cycle) {
        interrupt.check();
        team.split(n_parts, [&](Index first, Index last) {
            for (Index part = first; part < last; ++part) {
                Extent extent;
                for (Index s = part * kPart; s < std::min(n, (part + 1) * kPart); ++s) {
                    if (is_large) kernel.common.prefetch_after(s);
                    const double rare = kernel.rare_product(s, x.data());
                    const double residual = (b[s] - x[s]) + (kernel.common.row_product(s, x.data()) + rare);
                    if (is_split) right[s] = b[s] + rare;
                    scratch[s] = residual;
                    extent.residual = std::isnan(residual) ? HUGE_VAL : std::max(extent.residual, std::abs(residual));
                    extent.size = std::max({extent.size, std::abs(b[s]), std::abs(x[s])});
                    extent.residual_sum += residual;
                    extent.image_sum += is_constant ? row_deficits[s] : b[s] - residual;
                }
                extents[part] = extent;
            }
        });
        Extent all;
        for (const Extent& extent : extents) all.add(extent);
        const double size = std::max(all.size, kSmallestSize);
        const double relative = all.residual / size;
        if (relative <= kRounding) return finish(relative, false);
        const double shrinkage = relative / previous;
        const double rate = std::pow(shrinkage, 1.0 / (n_sweeps + 1));
        if (previous < HUGE_VAL || !std::isfinite(relative)) {
            if (shrinkage > 0.25 && previous <= kNearRounding) return finish(relative, false);
            if (!(rate <= kSlowestRate) && cycle > 1) return finish(relative, true);
            const double needed = std::log(kRounding / relative) / std::log(rate);  // of anything, where nothing has shrunk
            n_sweeps = static_cast<int>(std::fmin(std::fmax(needed, 1.0), most_sweeps));
        }
        previous = relative;
        double shift = all.image_sum > 0.0 ? all.residual_sum / all.image_sum : 0.0;
        if (!std::isfinite(shift)) shift = 0.0;
        team.split(n, [&](Index first, Index last) {
            for (Index s = first; s < last; ++s) {
                const double image = is_constant ? row_deficits[s] : b[s] - scratch[s];
                x[s] += shift * (is_constant ? 1.0 : x[s]) + inverse_diagonal[s] * (scratch[s] - shift * image);
            }
        });
        for (int i = 0; i < n_sweeps; ++i) {
            for (Index begin = 0; begin < n; begin += block) {
                const Index size_of_block = std::min(block, n - begin);
                team.split(size_of_block, [&](Index first, Index last) {
                    for (Index i = first; i < last; ++i) {
                        const Index s = begin + i;
                        if (is_large) kernel.common.prefetch_after(s);
                        scratch[i] = x[s] + inverse_diagonal[s] * ((rhs[s] - x[s]) + kernel.common.row_product(s, x.data()));
                    }
                });
                team.split(size_of_block, [&](Index first, Index last) {
                    std::copy(scratch.data() + first, scratch.data() + last, x.data() + begin + first);
                });
            }
        }
        if (n_only > 0) return finish(relative, false);
    }
}

}  // namespace npgfast
