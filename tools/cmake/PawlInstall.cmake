# Installs the libraries with a CMake package and pkg-config files. Both find everything relative to
# their own location, so an installed tree may be moved.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/pawl")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH PAWL_PC_TO_PREFIX "/${pkgconfig_dir}" "/")
string(REGEX REPLACE "/$" "" PAWL_PC_TO_PREFIX "${PAWL_PC_TO_PREFIX}")

# pawl_install(codec DESCRIPTION "..." REQUIRES pawl-journal LIBRARIES -lflatbuffers); IN names the
# folder of its headers, if that is not the part's own.
function(pawl_install part)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION;REQUIRES;LIBRARIES;IN" "")
    if(NOT arg_IN)
        set(arg_IN ${part})
    endif()
    # A program linked to a static library must also link that library's dependencies.
    get_target_property(type pawl_${part} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
        set(PAWL_PC_LIBRARIES " ${arg_LIBRARIES}")
    endif()
    set(PAWL_PC_PART ${part})
    set(PAWL_PC_DESCRIPTION "${arg_DESCRIPTION}")
    set(PAWL_PC_REQUIRES "${arg_REQUIRES}")
    configure_file(tools/cmake/pawl.pc.in "${PROJECT_BINARY_DIR}/pawl-${part}.pc" @ONLY)

    # One export set per part, so that a program that needs only the journal does not need the
    # codec.
    install(
        TARGETS pawl_${part}
        EXPORT pawl-${part}-targets
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ${part}
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${part}
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${part})
    install(
        EXPORT pawl-${part}-targets
        NAMESPACE pawl::
        DESTINATION "${package_dir}"
        COMPONENT ${part})
    install(
        DIRECTORY ${arg_IN}/include/
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        COMPONENT ${part})
    install(
        FILES "${PROJECT_BINARY_DIR}/pawl-${part}.pc"
        DESTINATION "${pkgconfig_dir}"
        COMPONENT ${part})
endfunction()

pawl_install(
    journal
    DESCRIPTION "An embedded, memory-mapped event journal"
    LIBRARIES -pthread)
pawl_install(
    codec
    DESCRIPTION "Typed FlatBuffers events for the Pawl journal"
    REQUIRES pawl-journal
    LIBRARIES -lflatbuffers)
pawl_install(
    replay
    DESCRIPTION "Folds, snapshots and deciders over the Pawl journal"
    REQUIRES pawl-codec)
# Where SQLite was found; the loadable extension comes along.
if(TARGET pawl_sqlite)
    pawl_install(
        sqlite
        IN replay/sqlite
        DESCRIPTION "SQL tables of a Pawl journal, and read models in SQLite"
        REQUIRES "pawl-codec, sqlite3")
endif()
if(TARGET pawl_sqlite_extension)
    install(
        TARGETS pawl_sqlite_extension
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/pawl"
        COMPONENT sqlite)
endif()

configure_package_config_file(
    tools/cmake/pawlConfig.cmake.in "${PROJECT_BINARY_DIR}/pawlConfig.cmake"
    INSTALL_DESTINATION "${package_dir}"
    NO_SET_AND_CHECK_MACRO)
# Below 1.0 a minor version may change the interface.
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/pawlConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(
    FILES "${PROJECT_BINARY_DIR}/pawlConfig.cmake" "${PROJECT_BINARY_DIR}/pawlConfigVersion.cmake"
    DESTINATION "${package_dir}"
    COMPONENT journal)
install(
    FILES tools/cmake/PawlFlatbuffers.cmake tools/cmake/PawlEmbedSchema.cmake
    DESTINATION "${package_dir}"
    COMPONENT codec)
install(FILES LICENSE CHANGELOG.md README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT journal)
foreach(part IN ITEMS journal codec replay replay/sqlite tools tools/relay)
    file(GLOB pages CONFIGURE_DEPENDS ${part}/*.md)
    install(
        FILES ${pages}
        DESTINATION "${CMAKE_INSTALL_DOCDIR}/${part}"
        COMPONENT journal)
endforeach()
