#pragma once
// The only aliases of the core: a signed index, views, and the outcome of an optimisation step.

#include <cstddef>
#include <cstdint>
#include <iterator>  // std::ssize, found by argument
#include <span>

namespace npgfast {

using Index = std::ptrdiff_t;

using Reals = std::span<const double>;
using MutableReals = std::span<double>;
using Flags = std::span<const std::uint8_t>;
using Integers = std::span<const std::int32_t>;

/// What an optimiser met. The order is that of `npgfast.Status` in Python.
enum class Status : int {
    ok = 0,
    zero_gradient,
    cg_max_iterations,
    negative_curvature,
    line_search_failed,
    kl_infinite,
    non_finite,
};

/// The steps that may change theta: `ok`, and a conjugate gradient that ran out of its budget.
inline bool moves_theta(Status status) {
    return status == Status::ok || status == Status::cg_max_iterations;
}

}  // namespace npgfast
