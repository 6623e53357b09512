#include "npgfast/geometry/symmetric_system.hpp"

#include <Eigen/Dense>
#include <cmath>

#include "npgfast/geometry/least_squares.hpp"

namespace npgfast {

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::MatrixXd square(Reals matrix) {
    const auto d = static_cast<Index>(std::llround(std::sqrt(static_cast<double>(matrix.size()))));
    return Eigen::Map<const Eigen::MatrixXd>(matrix.data(), d, d);
}

/// Copied, so that no sum depends on the alignment of the original.
RowMajor sides(Reals right, Index d) { return Eigen::Map<const RowMajor>(right.data(), d, std::ssize(right) / d); }

std::vector<double> flat(const RowMajor& x) { return {x.data(), x.data() + x.size()}; }

}  // namespace

SymmetricSolution solve_pinv(Reals matrix, Reals right) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(square(matrix));
    const Eigen::VectorXd& values = eigen.eigenvalues();
    const double cutoff = rank_cutoff(values.size()) * values.cwiseAbs().maxCoeff();
    SymmetricSolution solution;
    RowMajor coefficients = eigen.eigenvectors().transpose() * sides(right, values.size());
    for (Index j = 0; j < values.size(); ++j) {
        const bool kept = values[j] > cutoff;
        coefficients.row(j) *= kept ? 1.0 / values[j] : 0.0;
        solution.rank += kept;
    }
    solution.x = flat(eigen.eigenvectors() * coefficients);
    return solution;
}

SymmetricSolution solve_cholesky(Reals matrix, Reals right) {
    const Eigen::MatrixXd values = square(matrix);
    const Eigen::LLT<Eigen::MatrixXd> factor(values);
    SymmetricSolution solution{std::vector<double>(right.size(), 0.0), values.rows(), Status::negative_curvature};
    if (factor.info() != Eigen::Success) return solution;
    const double cutoff = rank_cutoff(values.rows()) * values.diagonal().maxCoeff();
    if (factor.matrixLLT().diagonal().cwiseAbs2().minCoeff() <= cutoff) return solution;
    solution.x = flat(factor.solve(sides(right, values.rows())));
    solution.status = Status::ok;
    return solution;
}

}  // namespace npgfast
