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

}  // namespace

void SparseMatrix::multiply(Reals x, MutableReals y) const {
    for (Index row = 0; row < n; ++row) {
        double sum = 0.0;
        for (auto k = indptr[row]; k < indptr[row + 1]; ++k) sum += values[k] * x[indices[k]];
        y[row] = sum;
    }
}

void SparseMatrix::multiply_transposed(Reals x, MutableReals y) const {
    std::fill(y.begin(), y.end(), 0.0);
    for (Index row = 0; row < n; ++row) {
        if (x[row] == 0.0) continue;
        for (auto k = indptr[row]; k < indptr[row + 1]; ++k) y[indices[k]] += values[k] * x[row];
    }
}

struct ResolventSystem::Factors {
    std::optional<Eigen::PartialPivLU<Eigen::MatrixXd>> dense;
    std::optional<Eigen::SparseLU<Eigen::SparseMatrix<double>>> sparse;
    std::optional<Eigen::IncompleteLUT<double>> incomplete, incomplete_transposed;
};

ResolventSystem::~ResolventSystem() = default;

ResolventSystem::ResolventSystem(const SparseMatrix& kernel, LinearMethod method, const Interrupt& interrupt)
    : kernel_(kernel), interrupt_(interrupt), method_(method), factors_(std::make_unique<Factors>()) {
    const Index n = kernel.n;
    if (method_ == LinearMethod::automatic && n <= kDenseChainLimit) method_ = LinearMethod::direct;
    if (method_ == LinearMethod::direct && n <= kDenseChainLimit) {
        Eigen::MatrixXd matrix = Eigen::MatrixXd::Identity(n, n);
        for (Index row = 0; row < n; ++row)
            for (auto k = kernel.indptr[row]; k < kernel.indptr[row + 1]; ++k)
                matrix(row, kernel.indices[k]) -= kernel.values[k];
        factors_->dense.emplace(std::move(matrix));
        return;
    }
    inverse_diagonal_.assign(static_cast<std::size_t>(n), 1.0);
    for (Index row = 0; row < n; ++row) {
        double diagonal = 1.0;
        for (auto k = kernel.indptr[row]; k < kernel.indptr[row + 1]; ++k)
            if (kernel.indices[k] == row) diagonal -= kernel.values[k];
        if (diagonal > 0.0) inverse_diagonal_[row] = 1.0 / diagonal;
    }
}

void ResolventSystem::apply(Reals x, MutableReals y, bool transposed) const {
    transposed ? kernel_.multiply_transposed(x, y) : kernel_.multiply(x, y);
    for (Index i = 0; i < kernel_.n; ++i) y[i] = x[i] - y[i];
}

Eigen::SparseMatrix<double> as_eigen(const SparseMatrix& kernel) {
    std::vector<Eigen::Triplet<double, int>> entries;
    entries.reserve(kernel.values.size() + static_cast<std::size_t>(kernel.n));
    for (Index row = 0; row < kernel.n; ++row) {
        entries.emplace_back(static_cast<int>(row), static_cast<int>(row), 1.0);
        for (auto k = kernel.indptr[row]; k < kernel.indptr[row + 1]; ++k)
            entries.emplace_back(static_cast<int>(row), kernel.indices[k], -kernel.values[k]);
    }
    Eigen::SparseMatrix<double> matrix(kernel.n, kernel.n);
    matrix.setFromTriplets(entries.begin(), entries.end());
    matrix.makeCompressed();
    return matrix;
}

void ResolventSystem::precondition(const std::vector<double>& residual, std::vector<double>& result,
                                   bool transposed) const {
    const auto& factor = transposed ? factors_->incomplete_transposed : factors_->incomplete;
    if (factor) {
        Eigen::Map<Eigen::VectorXd>(result.data(), kernel_.n) =
            factor->solve(Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(residual.data(), kernel_.n)));
        return;
    }
    for (std::size_t i = 0; i < residual.size(); ++i) result[i] = inverse_diagonal_[i] * residual[i];
}

bool ResolventSystem::run_bicgstab(Reals b, MutableReals x, bool transposed) const {
    const auto n = static_cast<std::size_t>(kernel_.n);
    std::vector<double> residual(b.begin(), b.end()), shadow(residual), direction(n, 0.0), image(n, 0.0);
    std::vector<double> scaled(n), scaled_residual(n), second_image(n);
    std::fill(x.begin(), x.end(), 0.0);
    const double target = 1e-11 * norm(b);
    const int max_iterations = static_cast<int>(std::min<Index>(10 * kernel_.n + 100, 3000));
    double rho = 1.0, alpha = 1.0, omega = 1.0;
    for (int iteration = 0; iteration < max_iterations; ++iteration) {
        interrupt_.check();
        if (norm(residual) <= target) return true;
        const double next_rho = dot(shadow, residual);
        if (!(std::abs(next_rho) > 1e-290)) return false;
        const double beta = (next_rho / rho) * (alpha / omega);
        rho = next_rho;
        for (std::size_t i = 0; i < n; ++i) direction[i] = residual[i] + beta * (direction[i] - omega * image[i]);
        precondition(direction, scaled, transposed);
        apply(scaled, image, transposed);
        alpha = rho / dot(shadow, image);
        if (!std::isfinite(alpha)) return false;
        axpy(-alpha, image.data(), residual.data(), kernel_.n);
        precondition(residual, scaled_residual, transposed);
        apply(scaled_residual, second_image, transposed);
        const double energy = dot(second_image, second_image);
        omega = energy > 0.0 ? dot(second_image, residual) / energy : 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            x[i] += alpha * scaled[i] + omega * scaled_residual[i];
            residual[i] -= omega * second_image[i];
        }
        if (omega == 0.0 || !std::isfinite(omega)) return norm(residual) <= target;
    }
    return false;
}

void ResolventSystem::correct(Reals residual, MutableReals correction, bool transposed) {
    const Index n = kernel_.n;
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
            Eigen::SparseMatrix<double> matrix = as_eigen(kernel_);
            if (transposed) matrix = Eigen::SparseMatrix<double>(matrix.transpose());
            factor.emplace(matrix, 1e-6, kIncompleteFill);
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

double ResolventSystem::solve(Reals b, MutableReals x, bool transposed) {
    const auto n = static_cast<std::size_t>(kernel_.n);
    std::vector<double> residual(b.begin(), b.end()), correction(n), best(n, 0.0);
    std::fill(x.begin(), x.end(), 0.0);
    const double scale_b = max_abs(b);
    double best_residual = scale_b > 0.0 ? 1.0 : 0.0;
    for (int refinement = 0; refinement < kRefinements && best_residual > 0.0; ++refinement) {
        interrupt_.check();
        correct(residual, correction, transposed);
        for (std::size_t i = 0; i < n; ++i) x[i] += correction[i];
        apply(x, residual, transposed);
        for (std::size_t i = 0; i < n; ++i) residual[i] = b[i] - residual[i];
        const double relative = max_abs(residual) / std::max(scale_b, max_abs(x));
        const bool better = relative < best_residual;
        const bool much_better = relative < 0.25 * best_residual;
        if (better) {
            best_residual = relative;
            std::copy(x.begin(), x.end(), best.begin());
        }
        if (!(much_better && relative >= 2e-16)) break;
    }
    std::copy(best.begin(), best.end(), x.begin());
    return best_residual;
}

}  // namespace npgfast
