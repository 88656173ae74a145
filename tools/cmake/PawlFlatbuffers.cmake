# pawl_flatbuffers(target schema.fbs... [FLATC_OPTIONS option...])
#
# Compiles FlatBuffers schemas for a target: order.fbs becomes order_generated.h, which the target
# and all targets that link it may include, and order.bfbs, the schema in binary form with all
# attributes. order_bfbs.hpp embeds it: order_bfbs() returns its bytes, for pawl::schema::load. Name
# all schemas that include each other. The options are passed to flatc in addition to ours. The
# headers have setters, for prepared_event, and static reflection, which the codec uses to reject a
# struct that is aligned to more than a payload.
set(PAWL_EMBED_SCHEMA "${CMAKE_CURRENT_LIST_DIR}/PawlEmbedSchema.cmake" CACHE INTERNAL "")

function(pawl_flatbuffers target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FLATC_OPTIONS")
    if(TARGET flatbuffers::flatc)
        set(flatc flatbuffers::flatc)
    elseif(TARGET flatc)
        set(flatc flatc)
    else()
        find_program(PAWL_FLATC flatc REQUIRED)
        set(flatc "${PAWL_FLATC}")
    endif()

    set(output "${CMAKE_CURRENT_BINARY_DIR}/${target}_schemas")
    set(schemas)
    set(include_flags)
    foreach(schema IN LISTS arg_UNPARSED_ARGUMENTS)
        cmake_path(ABSOLUTE_PATH schema BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
        cmake_path(GET schema PARENT_PATH folder)
        list(APPEND schemas "${schema}")
        list(APPEND include_flags -I "${folder}")
    endforeach()

    foreach(schema IN LISTS schemas)
        cmake_path(GET schema STEM name)
        set(header "${output}/${name}_generated.h")
        set(binary "${output}/${name}.bfbs")
        set(embedded "${output}/${name}_bfbs.hpp")
        add_custom_command(
            OUTPUT "${header}" "${binary}" "${embedded}"
            COMMAND ${flatc} --cpp --cpp-std c++17 --scoped-enums --gen-mutable
                    --cpp-static-reflection ${arg_FLATC_OPTIONS} ${include_flags} -o "${output}"
                    "${schema}"
            COMMAND ${flatc} -b --schema --bfbs-builtins ${include_flags} -o "${output}" "${schema}"
            COMMAND "${CMAKE_COMMAND}" -DBINARY=${binary} -DHEADER=${embedded} -DNAME=${name}
                    -P "${PAWL_EMBED_SCHEMA}"
            DEPENDS ${schemas} ${flatc} "${PAWL_EMBED_SCHEMA}"
            COMMENT "Compiling schema ${name}.fbs"
            VERBATIM)
        target_sources(${target} PRIVATE "${header}" "${binary}" "${embedded}")
    endforeach()

    # Our warnings do not apply to generated code.
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
        target_include_directories(${target} SYSTEM PRIVATE "${output}")
    else()
        target_include_directories(${target} SYSTEM PUBLIC $<BUILD_INTERFACE:${output}>)
    endif()
endfunction()
