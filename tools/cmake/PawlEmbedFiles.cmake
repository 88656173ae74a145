# Writes files into the C++ source SOURCE, as what page_files() returns: FILES is a list, separated by
# commas.
string(REPLACE "," ";" files "${FILES}")
set(contents "")
set(entries "")
set(number 0)
foreach(file IN LISTS files)
    file(READ "${file}" bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    cmake_path(GET file FILENAME name)
    string(APPEND contents "constexpr unsigned char file_${number}[] = {${bytes}};\n")
    string(APPEND entries "        {\"${name}\", {reinterpret_cast<const char*>(file_${number}), sizeof file_${number}}},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${SOURCE}" "// Generated from the files of tools/pawl/view/page.
#include \"view/page_files.hpp\"

namespace pawl::cli {

namespace {

${contents}
}  // namespace

std::span<const page_file> page_files() noexcept {
    static const page_file all[] = {
${entries}    };
    return all;
}

}  // namespace pawl::cli
")
