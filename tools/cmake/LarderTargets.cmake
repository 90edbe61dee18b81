# One function per kind of target, so that every target of the tree is made alike.
#
#   larder_library(NAME SOURCES a.cc b.cc [DEPS ...] [PRIVATE_DEPS ...])   library and its alias larder::NAME;
#     what lies in storage/ is installed
#   larder_test(NAME SOURCES x_test.cc [DEPS ...] [LABELS ...])            a GoogleTest program known to ctest
#   larder_flatbuffers(NAME SCHEMAS a.fbs)                                 a_generated.h in the build tree, for larder_NAME
#   larder_fuzz(NAME SOURCES x_fuzz.cc [DEPS ...])                         a libFuzzer target, only with LARDER_FUZZ;
#     all of them are built by the target `fuzzers`, and their kept inputs lie in tests/corpus/NAME
#
# LABELS say which stage of tools/test.sh runs a test: unit (the default; a few seconds at most), model
# and crash, integration, bench. The first three also run under sanitizers; the target `checked_tests`
# builds them.
# DEPS are seen by users of the target; PRIVATE_DEPS are where vendor libraries belong.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(larder_flags INTERFACE)
target_compile_features(larder_flags INTERFACE cxx_std_20)
target_include_directories(larder_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}>
  $<INSTALL_INTERFACE:include/larder>)

# Warnings are ours alone: a user of the installed library keeps his own.
add_library(larder_warnings INTERFACE)
target_compile_options(larder_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
if(LARDER_SANITIZE)
  target_compile_options(larder_flags INTERFACE
    $<BUILD_INTERFACE:-fsanitize=${LARDER_SANITIZE}> $<BUILD_INTERFACE:-fno-omit-frame-pointer>)
  target_link_options(larder_flags INTERFACE $<BUILD_INTERFACE:-fsanitize=${LARDER_SANITIZE}>)
endif()

function(larder_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(larder_${name} STATIC ${ARG_SOURCES})
  add_library(larder::${name} ALIAS larder_${name})
  set_target_properties(larder_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(larder_${name}
    PUBLIC larder_flags ${ARG_DEPS}
    PRIVATE $<BUILD_INTERFACE:larder_warnings> ${ARG_PRIVATE_DEPS})
  if(CMAKE_CURRENT_SOURCE_DIR MATCHES "^${PROJECT_SOURCE_DIR}/storage/")
    install(TARGETS larder_${name} EXPORT larder ARCHIVE COMPONENT library)
  endif()
endfunction()

# The generated headers are included as "storage/.../a_generated.h", like those of the source tree.
function(larder_flatbuffers name)
  cmake_parse_arguments(ARG "" "" "SCHEMAS" ${ARGN})
  find_program(FLATC_PROGRAM flatc REQUIRED)
  foreach(schema ${ARG_SCHEMAS})
    cmake_path(REMOVE_EXTENSION schema OUTPUT_VARIABLE base)
    set(generated ${CMAKE_CURRENT_BINARY_DIR}/${base}_generated.h)
    cmake_path(GET generated PARENT_PATH folder)
    add_custom_command(
      OUTPUT ${generated}
      COMMAND ${FLATC_PROGRAM} --cpp -o ${folder} ${CMAKE_CURRENT_SOURCE_DIR}/${schema}
      DEPENDS ${schema}
      VERBATIM)
    target_sources(larder_${name} PRIVATE ${generated})
  endforeach()
endfunction()

function(larder_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(larder_${name} ${ARG_SOURCES})
  target_link_libraries(larder_${name}
    PRIVATE larder_flags larder_warnings ${ARG_DEPS} GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND larder_${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
  if(NOT TARGET checked_tests)
    add_custom_target(checked_tests)
  endif()
  if(ARG_LABELS MATCHES "unit|model|crash")
    add_dependencies(checked_tests larder_${name})
  endif()
endfunction()

function(larder_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(LARDER_FUZZ)
    if(NOT TARGET fuzzers)
      add_custom_target(fuzzers)
    endif()
    add_dependencies(fuzzers larder_${name})
    add_executable(larder_${name} ${ARG_SOURCES})
    target_link_libraries(larder_${name} PRIVATE larder_flags larder_warnings ${ARG_DEPS})
    target_compile_options(larder_${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(larder_${name} PRIVATE -fsanitize=fuzzer)
  endif()
endfunction()
