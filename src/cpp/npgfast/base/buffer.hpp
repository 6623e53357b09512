#pragma once

#include "npgfast/base/column.hpp"

namespace npgfast {

/// A growing array of plain values that are written once before they are read: a column whose sizes and indices are
/// signed. It never shrinks, so that a buffer kept over many calls allocates in the first of them alone.
template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(Index size) { resize(size); }

    T* data() { return values_.data(); }
    const T* data() const { return values_.data(); }
    Index size() const { return static_cast<Index>(values_.size()); }
    T& operator[](Index i) { return data()[i]; }
    const T& operator[](Index i) const { return data()[i]; }
    operator std::span<T>() { return values_; }
    operator std::span<const T>() const { return values_; }

    /// Keeps what it holds; new elements hold anything; pointers into it are lost when it grows.
    void resize(Index size) { values_.resize(static_cast<std::size_t>(size)); }

private:
    Column<T> values_;
};

}  // namespace npgfast
