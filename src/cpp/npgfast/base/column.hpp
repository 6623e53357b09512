#pragma once

#include <new>
#include <vector>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Memory of a `Column`: aligned to a cache line, not initialised, and in huge pages where it is large and the system
/// gives them, as a page fault of 4 kB costs as much as the arithmetic that fills it.
template <class T>
struct ColumnAllocator {
    using value_type = T;
    static constexpr std::size_t kHugePage = std::size_t{1} << 21;

    ColumnAllocator() = default;
    template <class U>
    explicit ColumnAllocator(const ColumnAllocator<U>&) {}

    static std::align_val_t alignment(std::size_t n) {
        return std::align_val_t{n * sizeof(T) >= 2 * kHugePage ? kHugePage : std::size_t{64}};
    }
    T* allocate(std::size_t n) {
        void* memory = ::operator new(n * sizeof(T), alignment(n));
#if defined(__linux__)
        if (n * sizeof(T) >= 2 * kHugePage) madvise(memory, n * sizeof(T), MADV_HUGEPAGE);
#endif
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t n) { ::operator delete(memory, alignment(n)); }
    template <class U>
    void construct(U* place) {
        ::new (static_cast<void*>(place)) U;
    }
    template <class U, class... Given>
    void construct(U* place, Given&&... given) {
        ::new (static_cast<void*>(place)) U(static_cast<Given&&>(given)...);
    }
    bool operator==(const ColumnAllocator&) const { return true; }
};

/// A vector whose `resize` leaves new numbers undefined.
template <class T>
using Column = std::vector<T, ColumnAllocator<T>>;

}  // namespace npgfast
