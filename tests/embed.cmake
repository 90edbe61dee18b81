# Builds storage/examples/embed against an installed tree and runs it: what a user of the library
# does. Larder's own libraries must have been built.
set(prefix ${PROJECT_BINARY_DIR}/prefix)
add_test(NAME embed_install
  COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --component library --prefix ${prefix})
add_test(NAME embed
  COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test ${PROJECT_SOURCE_DIR}/storage/examples/embed ${PROJECT_BINARY_DIR}/embed
    --build-generator ${CMAKE_GENERATOR}
    --build-options -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
    --test-command ${CMAKE_CURRENT_SOURCE_DIR}/embed.sh ${PROJECT_BINARY_DIR}/embed/embed)
set_tests_properties(embed_install PROPERTIES FIXTURES_SETUP embed_prefix)
set_tests_properties(embed PROPERTIES FIXTURES_REQUIRED embed_prefix)
set_tests_properties(embed_install embed PROPERTIES LABELS embed TIMEOUT 300)
