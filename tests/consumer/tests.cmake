# A build with sanitizers asks the same flags of its users, and a shared one is not the static one
# that check.sh starts from; the release build runs these.
option(PAWL_TEST_CONSUMER "Build an outside program against Pawl in every way" ${PAWL_INSTALL})
if(PAWL_TEST_CONSUMER AND NOT BUILD_SHARED_LIBS)
    foreach(mode IN ITEMS package journal-only shared pkg-config subdirectory fetchcontent)
        add_test(
            NAME "consumer: ${mode}"
            COMMAND "${CMAKE_CURRENT_LIST_DIR}/check.sh" ${mode} "${PROJECT_SOURCE_DIR}"
                    "${PROJECT_BINARY_DIR}")
        set_tests_properties("consumer: ${mode}" PROPERTIES LABELS consumer TIMEOUT 1800)
    endforeach()
    find_program(PAWL_CLANG NAMES clang++-19 clang++-20 clang++-21)
    foreach(compiler IN ITEMS "${CMAKE_CXX_COMPILER}" "${PAWL_CLANG}")
        if(compiler)
            cmake_path(GET compiler FILENAME name)
            add_test(
                NAME "consumer: headers alone with ${name}"
                COMMAND "${CMAKE_CURRENT_LIST_DIR}/headers.sh" "${compiler}"
                        "${PROJECT_SOURCE_DIR}")
            set_tests_properties(
                "consumer: headers alone with ${name}" PROPERTIES LABELS consumer TIMEOUT 600)
        endif()
    endforeach()
endif()
