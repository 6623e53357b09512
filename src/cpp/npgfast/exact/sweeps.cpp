#include "npgfast/exact/sweeps.hpp"

#include <cmath>

namespace npgfast {

namespace {

constexpr double kRounding = 1e-15;      // a residual that is as good as any
constexpr double kNearRounding = 1e-13;  // where a residual that stands still is not a slow chain
constexpr double kSlowestRate = 0.75;    // of a sweep; below it the Krylov method is faster
constexpr Index kBlocks = 8;
constexpr int kFirstSweeps = 2, kMostSweeps = 8;
constexpr int kMostSplitSweeps = 10;       // where a residual costs much more than a sweep
constexpr double kValueShrinkage = 0.005;  // of other errors, when the inexactness of the values' correction is left

/// Largest magnitudes and sums over some rows; `size` is that of b and x.
struct Extent {
    double residual = 0.0, size = 0.0, residual_sum = 0.0, image_sum = 0.0;

    void add(const Extent& other) {
        residual = std::max(residual, other.residual);
        size = std::max(size, other.size);
        residual_sum += other.residual_sum;
        image_sum += other.image_sum;
    }

    /// c of the coarse correction
    double shift() const {
        const double shift = image_sum > 0.0 ? residual_sum / image_sum : 0.0;
        return std::isfinite(shift) ? shift : 0.0;
    }
};

/// The system, and the three passes over it.
class SweptSystem {
public:
    SweptSystem(const SplitMatrix& kernel, Reals inverse_diagonal, Reals row_deficits, Reals b, Reals guess, Team& team)
        : kernel_(kernel), inverse_diagonal_(inverse_diagonal), row_deficits_(row_deficits), b_(b), team_(team),
          n_(kernel.n()), x_(n_), scratch_(n_), right_(is_split() ? n_ : 0),
          extents_(static_cast<std::size_t>((n_ + kPart - 1) / kPart)) {
        copy(guess.data(), x_.data());
    }

    bool is_split() const { return kernel_.rare.n > 0; }
    void copy_to(MutableReals solution) { copy(x_.data(), solution.data()); }

    /// Residuals, with all entries.
    Extent look() {
        team_.split(std::ssize(extents_), [&](Index first, Index last) {
            for (Index part = first; part < last; ++part)
                extents_[part] = look_at(part * kPart, std::min(n_, (part + 1) * kPart));
        });
        Extent all;
        for (const Extent& extent : extents_) all.add(extent);
        return all;
    }

    /// The coarse correction, and a Jacobi step out of the residuals of the last look.
    void step(double shift) {
        const bool is_constant = !row_deficits_.empty();
        team_.split(n_, [&](Index first, Index last) {
            for (Index s = first; s < last; ++s) {
                const double image = is_constant ? row_deficits_[s] : b_[s] - scratch_[s];
                x_[s] += shift * (is_constant ? 1.0 : x_[s]) + inverse_diagonal_[s] * (scratch_[s] - shift * image);
            }
        });
    }

    /// A Gauss-Seidel sweep with the common entries; what the rare ones add is that of the last look.
    void sweep() {
        const Index block = (n_ + kBlocks - 1) / kBlocks;
        const bool is_large = kernel_.common.is_large();
        const double *b = is_split() ? right_.data() : b_.data(), *x = x_.data();
        for (Index begin = 0; begin < n_; begin += block) {
            const Index size = std::min(block, n_ - begin);
            team_.split(size, [&](Index first, Index last) {
                kernel_.common.each_row(begin + first, begin + last, [&](Index place, Index s) {
                    if (is_large) kernel_.common.prefetch_after(place);
                    scratch_[place - begin] =
                        x[s] + inverse_diagonal_[s] * ((b[s] - x[s]) + kernel_.common.row_product(place, x));
                });
            });
            team_.split(size, [&](Index first, Index last) {
                kernel_.common.each_row(begin + first, begin + last,
                                        [&](Index place, Index s) { x_[s] = scratch_[place - begin]; });
            });
        }
    }

private:
    static constexpr Index kPart = BlockSums::kBlock;

    Extent look_at(Index first, Index last) {
        const bool is_large = kernel_.common.is_large();
        const double* x = x_.data();
        Extent extent;
        kernel_.common.each_row(first, last, [&](Index place, Index s) {
            if (is_large) kernel_.common.prefetch_after(place);
            const double rare = kernel_.rare_product(s, x);
            const double residual = (b_[s] - x[s]) + (kernel_.common.row_product(place, x) + rare);
            if (is_split()) right_[s] = b_[s] + rare;
            scratch_[s] = residual;
            extent.residual = std::isnan(residual) ? HUGE_VAL : std::max(extent.residual, std::abs(residual));
            extent.size = std::max({extent.size, std::abs(b_[s]), std::abs(x[s])});
            extent.residual_sum += residual;
            extent.image_sum += row_deficits_.empty() ? b_[s] - residual : row_deficits_[s];
        });
        return extent;
    }

    void copy(const double* from, double* to) {
        team_.split(n_, [&](Index first, Index last) { std::copy(from + first, from + last, to + first); });
    }

    const SplitMatrix& kernel_;
    Reals inverse_diagonal_, row_deficits_, b_;
    Team& team_;
    Index n_;
    Buffer<double> x_;        // gathered from: on huge pages where it is large
    Buffer<double> scratch_;  // residuals, or the new values of a block
    Buffer<double> right_;    // b and what the rare entries add to it, if there are any
    std::vector<Extent> extents_;
};

}  // namespace

Sweeps sweep(const SplitMatrix& kernel, Reals inverse_diagonal, Reals row_deficits, Reals b, MutableReals x,
             int n_only, Team& team, const Interrupt& interrupt) {
    SweptSystem system(kernel, inverse_diagonal, row_deficits, b, x, team);
    int n_sweeps = n_only > 0 ? n_only : kFirstSweeps;
    Sweeps result;
    double previous = HUGE_VAL;
    for (int cycle = 0;; ++cycle) {
        interrupt.check();
        const Extent extent = system.look();
        const double relative = result.residual = extent.residual / std::max(extent.size, kSmallestSize);
        if (relative <= kRounding) break;
        if (previous < HUGE_VAL || !std::isfinite(relative)) {
            const double shrinkage = relative / previous, rate = std::pow(shrinkage, 1.0 / (n_sweeps + 1));
            if (shrinkage > 0.25 && previous <= kNearRounding) break;
            result.stalled = !(rate <= kSlowestRate) && cycle > 1;
            if (result.stalled) break;
            // Numbers of sweeps, which may be anything where nothing shrank.
            const double needed = std::log(kRounding / relative) / std::log(rate);
            const double useful = row_deficits.empty() ? kMostSweeps : std::log(kValueShrinkage) / std::log(rate) - 1.0;
            const double most = system.is_split() ? kMostSplitSweeps : std::fmin(useful, kMostSweeps);
            n_sweeps = static_cast<int>(std::fmax(std::fmin(needed, most), 1.0));
        }
        previous = relative;
        system.step(extent.shift());
        for (int i = 0; i < n_sweeps; ++i) system.sweep();
        if (n_only > 0) break;
    }
    system.copy_to(x);
    return result;
}

}  // namespace npgfast
