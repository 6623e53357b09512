#pragma once
// Views of what a run takes: options, schedules, and the state of all seeds; see array_views.hpp.

#include "bindings/array_views.hpp"
#include "npgfast/training/algorithm.hpp"

namespace npgfast::bindings {

/// The options of a run from their dictionary; every key is needed.
TrainOptions train_options(const py::dict& values);

/// The dictionary of the state's arrays, by name; it keeps what it hands out views of.
class StateArrays {
public:
    explicit StateArrays(const py::dict& arrays);
    StateArrays(const StateArrays&) = delete;

    Index n_seeds() const { return n_seeds_; }
    std::span<const std::uint64_t> seeds() const { return seeds_; }
    std::span<std::uint8_t> finished() const { return finished_; }
    std::span<std::int64_t> n_done() const { return n_done_; }

    py::array& take(const char* key);
    MutableReals reals(const char* key, std::initializer_list<Index> shape);
    /// (rows, columns), or no columns.
    MutableReals optional_reals(const char* key, Index rows, Index columns);

private:
    const py::dict& arrays_;
    std::vector<py::array> owners_;
    Index n_seeds_ = 0;
    std::span<const std::uint64_t> seeds_;
    std::span<std::uint8_t> finished_;
    std::span<std::int64_t> n_done_;
};

/// One number per iteration, long enough for every seed that goes on.
Schedules schedules_view(const py::dict& arrays, const StateArrays& state, Index first_iteration, Index n_iterations);

/// The same for the next iteration of seed k alone, wherever the others stand.
Schedules schedules_view_of(const py::dict& arrays, const StateArrays& state, Index first_iteration, Index k);

}  // namespace npgfast::bindings
