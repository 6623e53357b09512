#pragma once

namespace npgfast {

/// How this variant of the core was compiled. The texts live as long as the program.
struct BuildInfo {
    const char* version;      ///< of npgfast
    const char* isa;          ///< instruction set the core was compiled for, such as "x86-64-v3"
    const char* compiler;     ///< name and version
    const char* eigen;        ///< version
    const char* fp_contract;  ///< "off" if a * b + c is never fused: found by computing one
};

BuildInfo build_info();

}  // namespace npgfast
