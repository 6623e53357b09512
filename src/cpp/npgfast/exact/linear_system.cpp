#include "npgfast/exact/linear_system.hpp"

#include <Eigen/Dense>
#include <Eigen/IterativeLinearSolvers>
#include <Eigen/SparseLU>
#include <algorithm>
#include <cmath>
#include <optional>

#include "npgfast/base/vector.hpp"

namespace npgfast {

namespace {

constexpr Index kDenseChainLimit = 128;
constexpr Index kSparseLuLimit = 20000;  // above it the fill-in of an unstructured chain does not fit
constexpr int kIncompleteFill = 20;      // entries of an incomplete factor, per entry of the matrix
constexpr int kRefinements = 8;

double max_abs(Reals x) {
    double largest = 0.0;
    for (double value : x) {
        if (std::isnan(value)) return value;
        largest = std::max(largest, std::abs(value));
    }
    return largest;
}

Eigen::SparseMatrix<double> as_eigen(const SplitMatrix& kernel) {
    std::vector<Eigen::Triplet<double, int>> entries;
    entries.reserve(static_cast<std::size_t>(kernel.n_entries() + kernel.n()));
    for (Index place = 0; place < kernel.n(); ++place) {
        const Index row = kernel.row_at(place);
        entries.emplace_back(static_cast<int>(row), static_cast<int>(row), 1.0);
        kernel.each_entry(place, [&](std::int32_t column, double value) {
            entries.emplace_back(static_cast<int>(row), column, -value);
        });
    }
    Eigen::SparseMatrix<double> matrix(kernel.n(), kernel.n());
    matrix.setFromTriplets(entries.begin(), entries.end());
    matrix.makeCompressed();
    return matrix;
}

}  // namespace

struct ResolventSystem::Factors {
    std::optional<Eigen::PartialPivLU<Eigen::MatrixXd>> dense;
    std::optional<Eigen::SparseLU<Eigen::SparseMatrix<double>>> sparse;
    std::optional<Eigen::IncompleteLUT<double>> incomplete, incomplete_transposed;
};

ResolventSystem::~ResolventSystem() = default;

ResolventSystem::ResolventSystem(const SplitMatrix& kernel, LinearMethod method, Team& team,
                                 const Interrupt& interrupt)
    : kernel_(kernel), team_(team), interrupt_(interrupt), method_(method), sums_(kernel.n()),
      factors_(std::make_unique<Factors>()) {
    const Index n = kernel.n();
    if (method_ == LinearMethod::automatic && n <= kDenseChainLimit) method_ = LinearMethod::direct;
    if (method_ == LinearMethod::direct && n <= kDenseChainLimit) {
        Eigen::MatrixXd matrix = Eigen::MatrixXd::Identity(n, n);
        for (Index row = 0; row < n; ++row)
            kernel.each_entry(row, [&](std::int32_t column, double value) { matrix(row, column) -= value; });
        factors_->dense.emplace(std::move(matrix));
        return;
    }
    inverse_diagonal_ = Buffer<double>(n);
    row_deficits_ = Buffer<double>(n);
    team.split(n, [&](Index first, Index last) {
        for (Index row = first; row < last; ++row) {
            double diagonal = 1.0, deficit = 1.0;
            kernel.each_entry(row, [&](std::int32_t column, double value) {
                deficit -= value;
                if (column == row) diagonal -= value;
            });
            inverse_diagonal_[row] = diagonal > 0.0 ? 1.0 / diagonal : 1.0;
            row_deficits_[row] = deficit;
        }
    });
}

const SplitMatrix& ResolventSystem::oriented(bool transposed) {
    if (!transposed) return kernel_;
    if (transposed_.n() == 0) transposed_ = transpose(kernel_, team_);
    return transposed_;
}

bool ResolventSystem::run_bicgstab(Reals b, MutableReals x, bool transposed) {
    const Index n = kernel_.n();
    const SplitMatrix& matrix = oriented(transposed);
    const auto& factor = transposed ? factors_->incomplete_transposed : factors_->incomplete;
    using Vector = std::vector<double>;
    Vector residual(b.begin(), b.end()), shadow(residual), direction(residual.size(), 0.0), image(direction);
    Vector scaled(direction), scaled_residual(direction), second_image(direction);
    const auto each = [&](const auto& step) {
        team_.split(n, [&](Index first, Index last) {
            for (Index i = first; i < last; ++i) step(i);
        });
    };
    const auto inner = [&](const Vector& left, const Vector& right) {
        return sums_.add_up(team_, [&](Index first, Index last) {
            return dot(left.data() + first, right.data() + first, last - first);
        });
    };
    const auto precondition = [&](const Vector& from, Vector& to) {
        if (factor)
            Eigen::Map<Eigen::VectorXd>(to.data(), n) =
                factor->solve(Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(from.data(), n)));
        else
            each([&](Index i) { to[i] = inverse_diagonal_[i] * from[i]; });
    };
    const auto apply = [&](const Vector& from, Vector& to) {
        each([&](Index place) {
            const Index i = matrix.row_at(place);
            to[i] = from[i] - matrix.row_product(place, from.data());
        });
    };
    std::fill(x.begin(), x.end(), 0.0);
    const double target = 1e-11 * norm(b);
    const int max_iterations = static_cast<int>(std::min<Index>(10 * n + 100, 3000));
    double rho = 1.0, alpha = 1.0, omega = 1.0;
    for (int iteration = 0; iteration < max_iterations; ++iteration) {
        interrupt_.check();
        if (std::sqrt(inner(residual, residual)) <= target) return true;
        const double next_rho = inner(shadow, residual);
        if (!(std::abs(next_rho) > 1e-290)) return false;
        const double beta = (next_rho / rho) * (alpha / omega);
        rho = next_rho;
        each([&](Index i) { direction[i] = residual[i] + beta * (direction[i] - omega * image[i]); });
        precondition(direction, scaled);
        apply(scaled, image);
        alpha = rho / inner(shadow, image);
        if (!std::isfinite(alpha)) return false;
        each([&](Index i) { residual[i] -= alpha * image[i]; });
        precondition(residual, scaled_residual);
        apply(scaled_residual, second_image);
        const double energy = inner(second_image, second_image);
        omega = energy > 0.0 ? inner(second_image, residual) / energy : 0.0;
        each([&](Index i) {
            x[i] += alpha * scaled[i] + omega * scaled_residual[i];
            residual[i] -= omega * second_image[i];
        });
        if (omega == 0.0 || !std::isfinite(omega)) return norm(residual) <= target;
    }
    return false;
}

void ResolventSystem::correct(Reals residual, MutableReals correction, bool transposed) {
    const Index n = kernel_.n();
    using Vector = Eigen::VectorXd;
    const Eigen::Map<const Vector> right(residual.data(), n);
    Eigen::Map<Vector> left(correction.data(), n);
    if (factors_->dense) {
        const Vector solution = transposed ? Vector(factors_->dense->transpose().solve(Vector(right)))
                                           : Vector(factors_->dense->solve(Vector(right)));
        left = solution;
        return;
    }
    if (!factors_->sparse && method_ != LinearMethod::direct) {
        if (run_bicgstab(residual, correction, transposed) || method_ == LinearMethod::krylov) return;
        if (n > kSparseLuLimit) {
            auto& factor = transposed ? factors_->incomplete_transposed : factors_->incomplete;
            if (factor) return;
            factor.emplace(as_eigen(oriented(transposed)), 1e-6, kIncompleteFill);
            run_bicgstab(residual, correction, transposed);
            return;
        }
    }
    if (!factors_->sparse) {
        factors_->sparse.emplace();
        factors_->sparse->compute(as_eigen(kernel_));
    }
    if (factors_->sparse->info() != Eigen::Success) {
        std::fill(correction.begin(), correction.end(), std::nan(""));
        return;
    }
    const Vector solution = transposed ? Vector(factors_->sparse->transpose().solve(Vector(right)))
                                       : Vector(factors_->sparse->solve(Vector(right)));
    left = solution;
}

double ResolventSystem::refine(Reals b, MutableReals x, bool transposed) {
    const SplitMatrix& matrix = oriented(transposed);
    std::vector<double> residual(b.size()), correction(b.size()), best(x.begin(), x.end());
    double best_residual = HUGE_VAL;
    for (int refinement = 0; refinement <= kRefinements; ++refinement) {
        interrupt_.check();
        team_.split(matrix.n(), [&](Index first, Index last) {
            for (Index place = first; place < last; ++place) {
                const Index i = matrix.row_at(place);
                residual[i] = (b[i] - x[i]) + matrix.row_product(place, x.data());
            }
        });
        const double relative = max_abs(residual) / std::max({max_abs(b), max_abs(x), kSmallestSize});
        const bool much_better = relative < 0.25 * best_residual;
        if (relative < best_residual) {
            best_residual = relative;
            std::copy(x.begin(), x.end(), best.begin());
        }
        if (!(much_better && relative >= 2e-16)) break;
        correct(residual, correction, transposed);
        for (std::size_t i = 0; i < correction.size(); ++i) x[i] += correction[i];
    }
    std::copy(best.begin(), best.end(), x.begin());
    return best_residual;
}

double ResolventSystem::solve(Reals b, MutableReals x, bool transposed, int n_sweeps) {
    if (method_ == LinearMethod::automatic) {
        const Reals deficits = transposed ? Reals() : Reals(row_deficits_);
        const Sweeps swept =
            sweep(oriented(transposed), inverse_diagonal_, deficits, b, x, n_sweeps, team_, interrupt_);
        if (!swept.stalled) return swept.residual;
        if (!all_finite(x)) std::fill(x.begin(), x.end(), 0.0);
    }
    return refine(b, x, transposed);
}

}  // namespace npgfast
