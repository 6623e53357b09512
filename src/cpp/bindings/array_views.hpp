#pragma once
// The memory ring: every array that reaches the core has the right type, layout, extents and index ranges, or it
// raises. Meaning and conversion are Python's business; nothing is converted here.

#include <initializer_list>
#include <string>
#include <vector>

#include "bindings/pybind.hpp"
#include "npgfast/base/buffer.hpp"
#include "npgfast/geometry/gaussian_model.hpp"
#include "npgfast/geometry/softmax_model.hpp"
#include "npgfast/policies/linear.hpp"

namespace npgfast::bindings {

inline constexpr Index kAny = -1;  ///< an extent that is not checked

inline std::string shape_text(const py::array& array) {
    std::string text = "(";
    for (py::ssize_t axis = 0; axis < array.ndim(); ++axis)
        text += (axis ? ", " : "") + std::to_string(array.shape(axis));
    return text + ")";
}

inline std::string shape_text(std::initializer_list<Index> shape) {
    std::string text = "(";
    for (const Index* extent = shape.begin(); extent != shape.end(); ++extent)
        text += (extent == shape.begin() ? "" : ", ") + (*extent == kAny ? "any" : std::to_string(*extent));
    return text + ")";
}

/// An object as an array, without any conversion.
inline py::array as_array(const py::handle& object, const char* name) {
    if (!py::isinstance<py::array>(object)) throw py::type_error(std::string(name) + ": expected an array");
    return py::reinterpret_borrow<py::array>(object);
}

template <class T>
void check_form(const py::array& array, const char* name, std::initializer_list<Index> shape) {
    if (!py::isinstance<py::array_t<T>>(array))
        throw py::type_error(std::string(name) + ": expected dtype " + std::string(py::str(py::dtype::of<T>())) +
                             ", got " + std::string(py::str(array.dtype())));
    constexpr int kNeeded = py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if ((array.flags() & kNeeded) != kNeeded)
        throw py::value_error(std::string(name) + ": expected a C-contiguous, aligned array");
    bool matches = array.ndim() == static_cast<py::ssize_t>(shape.size());
    for (py::ssize_t axis = 0; matches && axis < array.ndim(); ++axis) {
        const Index extent = shape.begin()[axis];
        matches = extent == kAny || array.shape(axis) == extent;
    }
    if (!matches)
        throw py::value_error(std::string(name) + ": expected shape " + shape_text(shape) + ", got " +
                              shape_text(array));
}

template <class T>
std::span<const T> view(const py::array& array, const char* name, std::initializer_list<Index> shape) {
    check_form<T>(array, name, shape);
    return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

template <class T>
std::span<T> mutable_view(py::array& array, const char* name, std::initializer_list<Index> shape) {
    check_form<T>(array, name, shape);
    if (!array.writeable()) throw py::value_error(std::string(name) + ": is read-only");
    return {static_cast<T*>(array.mutable_data()), static_cast<std::size_t>(array.size())};
}

/// A number of threads that a process can have.
inline int checked_threads(int n_threads) {
    if (n_threads < 1 || n_threads > 4096)
        throw py::value_error("n_threads=" + std::to_string(n_threads) + " outside [1, 4096]");
    return n_threads;
}

/// Indices (n,) in [0, high).
inline Integers index_view(const py::array& array, const char* name, Index n, Index high) {
    const Integers indices = view<std::int32_t>(array, name, {n});
    bool are_inside = true;  // without an exit, so that the compiler can look at many at a time
    for (const std::int32_t index : indices) are_inside &= index >= 0 && index < high;
    for (std::size_t i = 0; !are_inside && i < indices.size(); ++i)
        if (indices[i] < 0 || indices[i] >= high)
            throw py::index_error(std::string(name) + "[" + std::to_string(i) + "]=" + std::to_string(indices[i]) +
                                  " outside [0, " + std::to_string(high) + ")");
    return indices;
}

/// A new NumPy array of doubles. NumPy asks for huge pages where an array is large: a first pass over it is faster than
/// over a vector of the same size.
inline py::array new_array(std::vector<py::ssize_t> shape) { return py::array_t<double>(std::move(shape)); }

/// A new NumPy array that owns a vector's data.
template <class T, class Allocator>
py::array_t<T> to_array(std::vector<T, Allocator>&& data, std::vector<py::ssize_t> shape) {
    using Vector = std::vector<T, Allocator>;
    auto* owned = new Vector(std::move(data));
    const py::capsule owner(owned, [](void* pointer) { delete static_cast<Vector*>(pointer); });
    return py::array_t<T>(std::move(shape), owned->data(), owner);
}

template <class T, class Allocator>
py::array_t<T> to_array(std::vector<T, Allocator>&& data) {
    const auto size = static_cast<py::ssize_t>(data.size());
    return to_array(std::move(data), {size});
}

/// A new NumPy array of T over a buffer's elements, which are of the same size.
template <class T, class Element>
py::array_t<T> to_array(Buffer<Element>&& data, std::vector<py::ssize_t> shape) {
    static_assert(sizeof(T) == sizeof(Element));
    auto* owned = new Buffer<Element>(std::move(data));
    const py::capsule owner(owned, [](void* pointer) { delete static_cast<Buffer<Element>*>(pointer); });
    return py::array_t<T>(std::move(shape), reinterpret_cast<const T*>(owned->data()), owner);
}

template <class T>
py::array_t<T> to_array(Buffer<T>&& data) {
    const py::ssize_t size = data.size();
    return to_array<T>(std::move(data), {size});
}

/// The tuple (indptr, indices, probabilities, termination, rewards, initial_distribution, action_mask, gamma, horizon).
TabularMdp mdp_view(const py::tuple& arrays);

/// The tuple (features | None, offset | None, action_mask): features (S, A, d), or (S, m) if the actions share them;
/// offset and mask (S, A); in place of the mask, where the actions share features, their number: all are allowed.
SoftmaxPolicy policy_view(const py::tuple& arrays);

/// The tuple (states | None, actions, weights, advantages, log_probs | None, effective_horizon, exhaustive);
/// None: entry i is at state i.
Batch batch_view(const py::tuple& arrays, Index n_states, Index n_actions);

/// A policy at one theta on a batch. The policy is that of `policy_view` with its tables (log_probs,
/// probs), each (S, A), and the batch that of `batch_view`; or, with None for the tables, the tuple
/// (features (n, m), theta, log_std_min, log_std_max) of a Gaussian policy, and the same batch tuple
/// without states and with actions (n, k) of doubles.
class ModelView {
public:
    ModelView(const py::tuple& policy, const py::object& tables, const py::tuple& batch, int n_threads);
    ModelView(const ModelView&) = delete;

    /// The model; the first call computes what it takes from the batch, and needs no GIL.
    const LocalModel& model();
    Index n_params() const { return is_gaussian_ ? gaussian_.n_params() : softmax_.n_params; }
    bool has_log_probs() const { return !log_probs().empty(); }
    Reals weights() const { return is_gaussian_ ? rows_.weights : entries_.weights; }
    Reals advantages() const { return is_gaussian_ ? rows_.advantages : entries_.advantages; }
    Reals log_probs() const { return is_gaussian_ ? rows_.log_probs : entries_.log_probs; }

private:
    bool is_gaussian_;
    Team team_;
    SoftmaxPolicy softmax_;
    PolicyView table_;
    Batch entries_;
    BatchSummary summary_;
    GaussianPolicy gaussian_;
    Reals theta_;
    RowBatch rows_;
    std::unique_ptr<LocalModel> model_;
};

/// The tuple (kind, integers, reals, observation_size, n_features, mean | None, scale | None, limit, n_actions,
/// action_size, log_std_min, log_std_max) of a linear policy on observations; its tables are checked against its kind.
LinearPolicy linear_policy_view(const py::tuple& arrays);

}  // namespace npgfast::bindings
