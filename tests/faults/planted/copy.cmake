# Copies the libraries into the build tree with every planted bug in them, and has them built from
# there. A source or a patch that changes configures the build again, which renews the copy.
file(
    GLOB_RECURSE sources CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/journal/*" "${PROJECT_SOURCE_DIR}/codec/*" "${PROJECT_SOURCE_DIR}/replay/*"
    "${CMAKE_CURRENT_LIST_DIR}/*")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
set(PAWL_PARTS_DIR "${PROJECT_BINARY_DIR}/with_bugs")
execute_process(
    COMMAND "${CMAKE_CURRENT_LIST_DIR}/plant.sh" copy "${PROJECT_SOURCE_DIR}" "${PAWL_PARTS_DIR}"
    RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "the planted bugs above no longer fit the sources")
endif()
