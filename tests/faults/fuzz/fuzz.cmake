# What hostile bytes are put through. The regression tests replay what is stored in corpus/ in every
# build; the fuzzers themselves need Clang: preset fuzz.
option(PAWL_FUZZERS "Build the fuzzers, which needs Clang" OFF)

set(fuzz_names segment index heads retained control snapshot payload json schema fields
               lines)
list(TRANSFORM fuzz_names REPLACE "(.+)" "fuzz/\\1.cpp" OUTPUT_VARIABLE fuzz_sources)
# What `pawl append` reads lines with; the fuzzers' build has no tools.
set(append_sources "${PROJECT_SOURCE_DIR}/tools/pawl/append/append_line.cpp"
                   "${PROJECT_SOURCE_DIR}/tools/pawl/append/members.cpp"
                   "${PROJECT_SOURCE_DIR}/tools/pawl/append/metadata_json.cpp"
                   "${PROJECT_SOURCE_DIR}/tools/pawl/events/base64.cpp")
add_library(pawl_fuzz_targets STATIC fuzz/targets.cpp ${fuzz_sources} ${append_sources})
pawl_target_defaults(pawl_fuzz_targets)
target_include_directories(pawl_fuzz_targets PRIVATE "${PAWL_PARTS_DIR}/journal"
                                                     "${PAWL_PARTS_DIR}/journal/src"
                                                     "${PAWL_PARTS_DIR}/replay/src"
                                                     "${PROJECT_SOURCE_DIR}/tools/pawl")
target_link_libraries(pawl_fuzz_targets PUBLIC pawl_test_support pawl::codec
                                               nlohmann_json::nlohmann_json)
pawl_flatbuffers(pawl_fuzz_targets "${PROJECT_SOURCE_DIR}/tests/codec/shop.fbs"
                 "${PROJECT_SOURCE_DIR}/tests/codec/kinds.fbs")

add_executable(pawl_fuzz_tests fuzz/regression_test.cpp)
pawl_target_defaults(pawl_fuzz_tests)
target_link_libraries(pawl_fuzz_tests PRIVATE pawl_fuzz_targets pawl_catch_main)
target_compile_definitions(pawl_fuzz_tests
                           PRIVATE PAWL_CORPUS_DIR="${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus")
catch_discover_tests(pawl_fuzz_tests TEST_PREFIX "fuzz: " PROPERTIES TIMEOUT 600 LABELS fuzz)

# Where the row program looks for the fuzzers when its own build has none.
target_compile_definitions(
    pawl_fault_hostile_files
    PRIVATE PAWL_CORPUS_DIR="${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus"
            PAWL_FUZZERS_DIR="${PROJECT_BINARY_DIR}/../fuzz/tests/faults")

if(PAWL_FUZZERS)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "the fuzzers need Clang: cmake --preset fuzz")
    endif()
    add_custom_target(pawl_fuzzers DEPENDS pawl_fault_hostile_files)
    foreach(name IN LISTS fuzz_names)
        add_executable(pawl_fuzz_${name} fuzz/fuzzer_main.cpp)
        pawl_target_defaults(pawl_fuzz_${name})
        target_compile_definitions(pawl_fuzz_${name} PRIVATE PAWL_FUZZ_TARGET=fuzz_${name})
        target_link_libraries(pawl_fuzz_${name} PRIVATE pawl_fuzz_targets)
        target_link_options(pawl_fuzz_${name} PRIVATE -fsanitize=fuzzer)
        add_dependencies(pawl_fuzzers pawl_fuzz_${name})
    endforeach()
endif()
