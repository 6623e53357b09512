#include "npgfast/base/build.hpp"

#include <Eigen/Version>

namespace npgfast {

namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "Clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

/// True if the compiler fused `b * b - square` into one operation, which keeps the rounding error of `square`.
bool fuses_products() {
    volatile double x = 1.0 + 0x1p-30;
    const double a = x;
    volatile double square = a * a;
    const double b = x;
    return b * b - square != 0.0;
}

}  // namespace

BuildInfo build_info() {
    return {NPGFAST_VERSION, NPGFAST_ISA_NAME, kCompiler, EIGEN_VERSION_STRING, fuses_products() ? "on" : "off"};
}

}  // namespace npgfast
