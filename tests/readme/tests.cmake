# Every example of the public headers and of the Markdown pages, compiled as it stands there.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(examples "${CMAKE_CURRENT_BINARY_DIR}/readme")
file(MAKE_DIRECTORY "${examples}")
file(GLOB_RECURSE pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/*.md" "${PROJECT_SOURCE_DIR}/.github/*.md")
list(FILTER pages EXCLUDE REGEX "^${PROJECT_SOURCE_DIR}/build/")
file(
    GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/journal/include/pawl/journal/*.hpp"
    "${PROJECT_SOURCE_DIR}/codec/include/pawl/codec/*.hpp"
    "${PROJECT_SOURCE_DIR}/replay/include/pawl/replay/*.hpp"
    "${PROJECT_SOURCE_DIR}/replay/sqlite/include/pawl/sqlite/*.hpp")
set_property(
    DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${pages} ${headers}
                              "${CMAKE_CURRENT_LIST_DIR}/extract_examples.py")
execute_process(
    COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/extract_examples.py"
            "${PROJECT_SOURCE_DIR}" "${examples}" COMMAND_ERROR_IS_FATAL ANY)

add_library(pawl_examples OBJECT "${examples}/journal_examples.cpp" "${examples}/codec_examples.cpp"
                                 "${examples}/replay_examples.cpp")
pawl_target_defaults(pawl_examples)
# An example names what it makes, and need not use it.
target_compile_options(pawl_examples PRIVATE -Wno-shadow -Wno-unused)
target_include_directories(pawl_examples PRIVATE "${CMAKE_CURRENT_LIST_DIR}")
target_link_libraries(pawl_examples PRIVATE pawl::replay)
pawl_flatbuffers(pawl_examples "${CMAKE_CURRENT_LIST_DIR}/orders.fbs"
                               "${CMAKE_CURRENT_LIST_DIR}/shop.fbs")

if(TARGET pawl::sqlite)
    add_library(pawl_sqlite_examples OBJECT "${examples}/sqlite_examples.cpp")
    pawl_target_defaults(pawl_sqlite_examples)
    target_compile_options(pawl_sqlite_examples PRIVATE -Wno-shadow -Wno-unused)
    target_include_directories(pawl_sqlite_examples PRIVATE "${CMAKE_CURRENT_LIST_DIR}")
    target_link_libraries(pawl_sqlite_examples PRIVATE pawl::sqlite)
    pawl_flatbuffers(pawl_sqlite_examples "${CMAKE_CURRENT_LIST_DIR}/orders.fbs")
endif()

# The README's example is a whole program, and is run.
add_executable(pawl_readme_example "${examples}/readme_example.cpp")
pawl_target_defaults(pawl_readme_example)
target_link_libraries(pawl_readme_example PRIVATE pawl::replay)
pawl_flatbuffers(pawl_readme_example "${CMAKE_CURRENT_LIST_DIR}/shop.fbs")
add_test(NAME "readme: the example runs" COMMAND
    "${CMAKE_COMMAND}" -DPROGRAM=$<TARGET_FILE:pawl_readme_example>
    "-DDIRECTORY=${CMAKE_CURRENT_BINARY_DIR}/readme_journal"
    -P "${CMAKE_CURRENT_LIST_DIR}/run.cmake")
set_tests_properties("readme: the example runs" PROPERTIES LABELS readme TIMEOUT 120)

# So is that of the codec, and what its page shows of the tools is what they print.
if(TARGET pawl)
    add_executable(pawl_codec_readme_example "${examples}/codec_readme_example.cpp")
    pawl_target_defaults(pawl_codec_readme_example)
    target_link_libraries(pawl_codec_readme_example PRIVATE pawl::codec)
    pawl_flatbuffers(pawl_codec_readme_example "${CMAKE_CURRENT_LIST_DIR}/shop.fbs")
    add_dependencies(pawl_codec_readme_example pawl)
    add_test(NAME "readme: the codec's page shows what the tools print" COMMAND
        "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/check_shown.py"
        "${PROJECT_SOURCE_DIR}/codec/README.md" $<TARGET_FILE_DIR:pawl>
        $<TARGET_FILE:pawl_codec_readme_example>)
    set_tests_properties(
        "readme: the codec's page shows what the tools print" PROPERTIES LABELS readme TIMEOUT 120)
endif()
