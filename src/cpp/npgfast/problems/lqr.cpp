#include "npgfast/problems/lqr.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

#include "npgfast/base/lanes.hpp"

namespace npgfast {

namespace {

Index lqr_extent(Reals parameters, std::size_t position) {
    const double extent = position < parameters.size() ? parameters[position] : 0.0;
    if (!(extent >= 1.0 && extent <= 1e6 && extent == std::floor(extent)))
        throw std::invalid_argument("parameters of lqr: expected to begin with the sizes n >= 1 and m >= 1");
    return static_cast<Index>(extent);
}

/// x^T M x.
Lanes quadratic_form(const std::vector<double>& matrix, const double* x, Index size) {
    Lanes sum{};
    for (Index i = 0; i < size; ++i)
        for (Index j = 0; j < size; ++j) sum += load(x + i * kGroup) * matrix[i * size + j] * load(x + j * kGroup);
    return sum;
}

/// x += M y, M (n, size).
void add_product(const std::vector<double>& matrix, const double* y, Index size, Lanes* x, Index n) {
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < size; ++j) x[i] += matrix[i * size + j] * load(y + j * kGroup);
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
    for (Index j = 0; j < n_; ++j) {
        const double z = random.normal();
        for (Index i = j; i < n_; ++i) state[i] += L0_[i * n_ + j] * z;
    }
}

unsigned Lqr::step(Index n, double* states, const double* actions, const double* noise, double* rewards) const {
    for (Index lane = 0; lane < n; lane += kWidth) {
        double* state = states + lane;
        store(rewards + lane, -(quadratic_form(Q_, state, n_) + quadratic_form(R_, actions + lane, m_)));
        std::array<Lanes, max_state_size> successor;
        std::fill_n(successor.begin(), n_, Lanes{});
        add_product(A_, state, n_, successor.data(), n_);
        add_product(B_, actions + lane, m_, successor.data(), n_);
        for (Index j = 0; j < n_; ++j) {
            const Lanes z = load(noise + j * kGroup + lane);
            for (Index i = j; i < n_; ++i) successor[i] += L_[i * n_ + j] * z;
        }
        for (Index i = 0; i < n_; ++i) store(state + i * kGroup, successor[i]);
    }
    return 0;
}

void Lqr::observe(Index, const double* states, double* observations) const {
    std::copy_n(states, n_ * kGroup, observations);
}

}  // namespace npgfast
