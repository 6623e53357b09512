#include "npgfast/problems/lqr.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

namespace npgfast {

namespace {

Index lqr_extent(Reals parameters, std::size_t position) {
    const double extent = position < parameters.size() ? parameters[position] : 0.0;
    if (!(extent >= 1.0 && extent <= 1e6 && extent == std::floor(extent)))
        throw std::invalid_argument("parameters of lqr: expected to begin with the sizes n >= 1 and m >= 1");
    return static_cast<Index>(extent);
}

double quadratic_form(const std::vector<double>& matrix, const double* x, Index size) {
    double sum = 0.0;
    for (Index i = 0; i < size; ++i)
        for (Index j = 0; j < size; ++j) sum += x[i] * matrix[i * size + j] * x[j];
    return sum;
}

/// x += M y, M (n, size).
void add_product(const std::vector<double>& matrix, const double* y, Index size, double* x, Index n) {
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < size; ++j) x[i] += matrix[i * size + j] * y[j];
}

/// x += L z, one normal for each column of the lower triangle.
void add_noise(const std::vector<double>& factor, double* x, Index n, Stream& random) {
    for (Index j = 0; j < n; ++j) {
        const double z = random.normal();
        for (Index i = j; i < n; ++i) x[i] += factor[i * n + j] * z;
    }
}

}  // namespace

Lqr::Lqr(Reals parameters) : n_(lqr_extent(parameters, 0)), m_(lqr_extent(parameters, 1)) {
    if (n_ > max_state_size) throw std::invalid_argument("parameters of lqr: more states than 256");
    const Index count = 2 + n_ * (4 * n_ + m_ + 1) + m_ * m_;
    if (std::ssize(parameters) != count)
        throw std::invalid_argument("parameters of lqr: expected " + std::to_string(count) + " numbers, got " +
                                    std::to_string(parameters.size()));
    auto next = parameters.begin() + 2;
    const auto take = [&next](Index size) {
        const auto first = next;
        next += size;
        return std::vector<double>(first, next);
    };
    A_ = take(n_ * n_);
    B_ = take(n_ * m_);
    Q_ = take(n_ * n_);
    R_ = take(m_ * m_);
    L_ = take(n_ * n_);
    mean_ = take(n_);
    L0_ = take(n_ * n_);
}

void Lqr::start(double* state, Stream& random) const {
    std::copy(mean_.begin(), mean_.end(), state);
    add_noise(L0_, state, n_, random);
}

Transition Lqr::step(double* state, const double* action, Stream& random) const {
    const double cost = quadratic_form(Q_, state, n_) + quadratic_form(R_, action, m_);
    std::array<double, max_state_size> successor;
    std::fill_n(successor.begin(), n_, 0.0);
    add_product(A_, state, n_, successor.data(), n_);
    add_product(B_, action, m_, successor.data(), n_);
    add_noise(L_, successor.data(), n_, random);
    std::copy_n(successor.begin(), n_, state);
    return {-cost, false};
}

void Lqr::observe(const double* state, double* observation) const { std::copy_n(state, n_, observation); }

}  // namespace npgfast
