# Lists that nothing else keeps complete: what each recipe of .github/CONTRIBUTING.md says to enter, and
# where. Run with -DROOT=the project's directory; names everything that is missing.
set(missing "")

# every_name_of(GLOB FILE BEFORE AFTER): FILE holds BEFORE name AFTER for each file that matches GLOB.
function(every_name_of pattern file before after)
    file(GLOB found "${ROOT}/${pattern}")
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
every_name_of("bench/questions/*.cpp" bench/main.cpp "{\"" "\", ask_")
every_name_of("bench/questions/*.cpp" bench/README.md "| `" ".cpp` |")
every_name_of("tools/pawl/commands/*.cpp" tools/pawl/command_line.cpp "add_command(app, \"" "\"")
every_name_of("codec/include/pawl/codec/*.hpp" codec/README.md "`" ".hpp`")

# Public headers are read without the sources, so they speak of public headers only.
file(GLOB headers "${ROOT}/journal/include/pawl/journal/*.hpp" "${ROOT}/codec/include/pawl/codec/*.hpp"
     "${ROOT}/replay/include/pawl/replay/*.hpp")
foreach(header IN LISTS headers)
    file(STRINGS "${header}" lines REGEX "[a-z_/]+\\.(hpp|cpp)")
    foreach(line IN LISTS lines)
        string(REGEX MATCHALL "[a-z_/]+\\.(hpp|cpp)" mentioned "${line}")
        foreach(name IN LISTS mentioned)
            cmake_path(GET name FILENAME file)
            if(NOT line MATCHES "#include <pawl/" AND NOT "${headers}" MATCHES "/pawl/[a-z]+/${file}")
                string(APPEND missing "  ${header} refers to ${name}, which is not public\n")
            endif()
        endforeach()
    endforeach()
endforeach()

if(missing)
    message(FATAL_ERROR "forgotten:\n${missing}")
endif()
