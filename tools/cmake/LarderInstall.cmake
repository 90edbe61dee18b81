# What `cmake --install --component library` puts in place, so that a program can say
# find_package(larder) and link larder::engine: the libraries of storage/ and their headers.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(larder_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/larder)

install(TARGETS larder_flags EXPORT larder)
set_target_properties(larder_flags PROPERTIES EXPORT_NAME flags)
install(EXPORT larder NAMESPACE larder:: FILE larderTargets.cmake
  DESTINATION ${larder_cmake_dir} COMPONENT library)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/storage
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/larder COMPONENT library
  FILES_MATCHING PATTERN "*.h" PATTERN examples EXCLUDE)

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/tools/cmake/larderConfig.cmake.in
  ${PROJECT_BINARY_DIR}/larderConfig.cmake
  INSTALL_DESTINATION ${larder_cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/larderConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/larderConfig.cmake ${PROJECT_BINARY_DIR}/larderConfigVersion.cmake
  DESTINATION ${larder_cmake_dir} COMPONENT library)
