# Lists that nothing else keeps complete: what each recipe of .github/CONTRIBUTING.md says to enter, and
# where. Run with -DROOT=the project's directory; names everything that is missing.
set(missing "")

# every_name_of(GLOB FILE BEFORE AFTER [HOLDS]): FILE holds BEFORE name AFTER for each file that matches
# GLOB and, if given, holds the text HOLDS with NAME replaced by its name.
function(every_name_of pattern file before after)
    file(GLOB found "${ROOT}/${pattern}")
    if(ARGC GREATER 4)
        foreach(path IN LISTS found)
            cmake_path(GET path STEM name)
            string(REPLACE NAME "${name}" wanted "${ARGV4}")
            file(READ "${path}" source)
            string(FIND "${source}" "${wanted}" at)
            if(at EQUAL -1)
                list(REMOVE_ITEM found "${path}")
            endif()
        endforeach()
    endif()
    if(NOT found)
        message(FATAL_ERROR "nothing matches ${pattern}")
    endif()
    file(READ "${ROOT}/${file}" text)
    foreach(path IN LISTS found)
        cmake_path(GET path STEM name)
        string(FIND "${text}" "${before}${name}${after}" at)
        if(at EQUAL -1)
            cmake_path(RELATIVE_PATH path BASE_DIRECTORY "${ROOT}")
            string(APPEND missing "  ${file} does not list ${path}: no '${before}${name}${after}'\n")
        endif()
    endforeach()
    set(missing "${missing}" PARENT_SCOPE)
endfunction()

every_name_of("tests/faults/rows/*.cpp" tests/faults/rows.txt " " "")
every_name_of("tests/faults/rows/*.cpp" tests/faults/README.md "`" "")
every_name_of("bench/questions/*.cpp" bench/main.cpp "{\"" "\", ask_" "void ask_NAME(")
every_name_of("bench/questions/*.cpp" bench/README.md "| `" ".cpp` |" "void ask_NAME(")
every_name_of("tools/pawl/commands/*.cpp" tools/pawl/command_line.cpp "add_command(app, \"" "\"")
every_name_of("codec/include/pawl/codec/*.hpp" codec/README.md "`" ".hpp`")

# Public headers are read without the sources, so they speak of public headers only, and of those that
# pawl_flatbuffers() makes from a schema.
file(GLOB headers "${ROOT}/journal/include/pawl/journal/*.hpp" "${ROOT}/codec/include/pawl/codec/*.hpp"
     "${ROOT}/replay/include/pawl/replay/*.hpp")
foreach(header IN LISTS headers)
    file(STRINGS "${header}" lines REGEX "[a-z_/]+\\.(hpp|cpp)")
    foreach(line IN LISTS lines)
        string(REGEX MATCHALL "[a-z_/]+\\.(hpp|cpp)" mentioned "${line}")
        foreach(name IN LISTS mentioned)
            cmake_path(GET name FILENAME file)
            if(NOT line MATCHES "#include <pawl/" AND NOT file MATCHES "_bfbs" AND NOT "${headers}" MATCHES "/pawl/[a-z]+/${file}")
                string(APPEND missing "  ${header} refers to ${name}, which is not public\n")
            endif()
        endforeach()
    endforeach()
endforeach()

# The top level of the repository. An export of it has no list of files to compare.
execute_process(COMMAND git -C "${ROOT}" ls-tree --name-only HEAD
    RESULT_VARIABLE failed OUTPUT_VARIABLE top ERROR_QUIET)
if(NOT failed)
    string(REGEX MATCHALL "[^\n]+" top "${top}")
    list(REMOVE_ITEM top .ci .clang-format .clang-tidy .github .gitignore CHANGELOG.md CMakeLists.txt
         CMakePresets.json LICENSE README.md bench codec journal replay tests tools)
    foreach(name IN LISTS top)
        string(APPEND missing "  ${name} does not belong on the top level of the repository\n")
    endforeach()
endif()

if(missing)
    message(FATAL_ERROR "forgotten:\n${missing}")
endif()
