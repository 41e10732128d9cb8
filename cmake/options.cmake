# Warnings, hardening, sanitizers, linker and compiler cache: one place for all targets.
add_library(mailferry_options INTERFACE)
target_include_directories(mailferry_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(mailferry_options INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion
  -Wno-sign-conversion -fstack-protector-strong)
target_compile_definitions(mailferry_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED _GLIBCXX_ASSERTIONS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside Boost and libstdc++ templates once coroutines are inlined.
  target_compile_options(mailferry_options INTERFACE
    -Wno-maybe-uninitialized -Wno-mismatched-new-delete -Wno-stringop-overflow
    -Wno-array-bounds -Wno-restrict -Wno-dangling-pointer)
endif()
if(NOT MAILFERRY_SANITIZE STREQUAL "")
  target_compile_options(mailferry_options INTERFACE
    -fsanitize=${MAILFERRY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mailferry_options INTERFACE -fsanitize=${MAILFERRY_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND MAILFERRY_SANITIZE MATCHES "undefined")
    # Clang 14 can't emit this check's prologue for the parts of a split coroutine.
    target_compile_options(mailferry_options INTERFACE -fno-sanitize=function)
  endif()
  if(MAILFERRY_SANITIZE MATCHES "thread")
    # Asio uses fences that ThreadSanitizer doesn't model; GCC warns about each.
    target_compile_options(mailferry_options INTERFACE -Wno-tsan)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(mailferry_options INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(mailferry_options INTERFACE -Wl,-z,relro,-z,now)
endif()

if(MAILFERRY_FUZZ)
  # So that the fuzzers see which of the libraries' branches an input reaches.
  target_compile_options(mailferry_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

find_program(MAILFERRY_CCACHE ccache)
if(MAILFERRY_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    ${MAILFERRY_CCACHE})
  # Lets ccache keep objects that were compiled against a precompiled header.
  target_compile_options(mailferry_options INTERFACE -Winvalid-pch)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(mailferry_options INTERFACE -fpch-preprocess)
  endif()
endif()
find_program(MAILFERRY_MOLD mold)
if(MAILFERRY_MOLD)
  target_link_options(mailferry_options INTERFACE -fuse-ld=mold)
endif()

# One library per folder: mailferry_library(<target> DEPENDS <targets...> SOURCES <files...>)
function(mailferry_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;SOURCES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC mailferry_options ${ARG_DEPENDS})
endfunction()

# One test program per folder: mailferry_test(<name> DEPENDS <targets...> SOURCES <files...>)
function(mailferry_test name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;SOURCES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE mailferry_options ${ARG_DEPENDS} GTest::gmock
    GTest::gtest_main)
  # As the libraries are compiled, so that they share one precompiled header.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()
