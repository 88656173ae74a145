# Settings for all our targets.
function(pawl_target_defaults target)
    target_compile_features(${target} PUBLIC cxx_std_23)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_compile_options(
        ${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                          $<$<BOOL:${PAWL_WERROR}>:-Werror>)
endfunction()

# One of the three libraries: pawl_library(journal) defines pawl_journal, alias pawl::journal, from
# src/ROOM/*.cpp with include/ as its public headers. Sources are globbed, so that a new file needs
# no other change.
function(pawl_library part)
    set(target pawl_${part})
    file(GLOB sources CONFIGURE_DEPENDS src/*/*.cpp)
    add_library(${target} ${sources})
    add_library(pawl::${part} ALIAS ${target})
    pawl_target_defaults(${target})
    target_include_directories(
        ${target}
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE src)
    set_target_properties(
        ${target}
        PROPERTIES EXPORT_NAME ${part}
                   OUTPUT_NAME pawl-${part}
                   VERSION ${PROJECT_VERSION}
                   SOVERSION ${PAWL_SOVERSION}
                   INSTALL_RPATH "$ORIGIN")
endfunction()
