#include "npgfast/geometry/least_squares.hpp"

#include <Eigen/Dense>
#include <cmath>

namespace npgfast {

LeastSquares least_squares(Reals rows, Reals targets, Index d, double ridge) {
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Index n = std::ssize(targets);
    const Index n_ridge = ridge > 0.0 ? d : 0;
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(n + n_ridge, d);
    Eigen::VectorXd right = Eigen::VectorXd::Zero(n + n_ridge);
    matrix.topRows(n) = Eigen::Map<const RowMajor>(rows.data(), n, d);
    right.head(n) = Eigen::Map<const Eigen::VectorXd>(targets.data(), n);
    if (n_ridge > 0) matrix.bottomRows(d).diagonal().setConstant(std::sqrt(ridge));
    Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> decomposition;
    decomposition.setThreshold(rank_cutoff(d));
    decomposition.compute(matrix);
    const Eigen::VectorXd solution = decomposition.solve(right);
    return {std::vector<double>(solution.begin(), solution.end()), decomposition.rank()};
}

}  // namespace npgfast
