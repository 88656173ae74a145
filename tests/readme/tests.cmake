# The README's example, compiled as it stands there and run.
file(READ "${PROJECT_SOURCE_DIR}/README.md" readme)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/README.md")
string(REGEX MATCH "```cpp\n([^`]*)```" block "${readme}")
if(NOT block)
    message(FATAL_ERROR "README.md holds no example")
endif()
file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/readme_example.cpp" CONTENT "@CMAKE_MATCH_1@" @ONLY)
add_executable(pawl_readme_example "${CMAKE_CURRENT_BINARY_DIR}/readme_example.cpp")
pawl_target_defaults(pawl_readme_example)
target_link_libraries(pawl_readme_example PRIVATE pawl::journal)
add_test(NAME "readme: the example runs" COMMAND
    "${CMAKE_COMMAND}" -DPROGRAM=$<TARGET_FILE:pawl_readme_example>
    "-DDIRECTORY=${CMAKE_CURRENT_BINARY_DIR}/readme_journal"
    -P "${CMAKE_CURRENT_LIST_DIR}/run.cmake")
set_tests_properties("readme: the example runs" PROPERTIES LABELS readme TIMEOUT 120)
