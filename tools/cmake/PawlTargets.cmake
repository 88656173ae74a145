# What every target of ours has in common.
function(pawl_target_defaults target)
    target_compile_features(${target} PUBLIC cxx_std_23)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_compile_options(
        ${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                          $<$<BOOL:${PAWL_WERROR}>:-Werror>)
endfunction()

# One of the three libraries: pawl_library(journal) makes pawl_journal, known as pawl::journal, from
# src/ROOM/*.cpp with include/ as what its users see. Sources are globbed so that a new file is one file.
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
