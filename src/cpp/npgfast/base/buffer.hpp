#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "npgfast/base/types.hpp"

namespace npgfast {

/// A growing array of plain values that are written once before they are read: new elements hold anything.
///
/// It never shrinks, so that a buffer kept over many calls allocates in the first of them alone. Those that the allocator
/// takes from the system each time, from 32 MB on, ask for huge pages: a first touch of 4 kB pages takes as long as a
/// thousand steps of a rollout.
template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(Index size) { resize(size); }

    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    Index size() const { return size_; }
    T& operator[](Index i) { return data_.get()[i]; }
    const T& operator[](Index i) const { return data_.get()[i]; }
    operator std::span<T>() { return {data(), static_cast<std::size_t>(size_)}; }
    operator std::span<const T>() const { return {data(), static_cast<std::size_t>(size_)}; }

    /// Keeps what it holds; pointers into it are lost when it grows.
    void resize(Index size) {
        if (size > capacity_) grow(size);
        size_ = size;
    }

private:
    static constexpr std::size_t kHugePage = std::size_t{1} << 21, kFromSystem = std::size_t{1} << 25;

    struct Free {
        std::size_t alignment = 64;
        void operator()(T* pointer) const { ::operator delete(pointer, std::align_val_t{alignment}); }
    };

    void grow(Index size) {
        const Index capacity = size_ > 0 ? std::max(size, capacity_ + capacity_ / 2) : size;
        std::size_t bytes = static_cast<std::size_t>(capacity) * sizeof(T), alignment = 64;
        if (bytes >= kFromSystem) {
            alignment = kHugePage;
            bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
        }
        std::unique_ptr<T, Free> grown(static_cast<T*>(::operator new(bytes, std::align_val_t{alignment})),
                                              Free{alignment});
#if defined(__linux__)
        if (alignment == kHugePage) madvise(grown.get(), bytes, MADV_HUGEPAGE);
#endif
        if (size_ > 0) std::memcpy(grown.get(), data_.get(), static_cast<std::size_t>(size_) * sizeof(T));
        data_ = std::move(grown);
        capacity_ = capacity;
    }

    std::unique_ptr<T, Free> data_;
    Index size_ = 0, capacity_ = 0;
};

}  // namespace npgfast
