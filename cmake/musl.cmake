# SPDX-License-Identifier: MIT
#
# A toolchain for musl beside another libc: Debian's musl-gcc, a wrapper around gcc.  It sees musl's
# headers alone, and musl has none of the kernel's; /usr/include as a whole would bring in the other
# libc's, and libraries that are linked with that one.  So the kernel's get a folder of links.
set(CMAKE_C_COMPILER musl-gcc)
set(CMAKE_C_FLAGS_INIT "-isystem ${CMAKE_BINARY_DIR}/kernel")
# There is no backtrace in musl, and without libunwind a trace follows frame pointers.
string(APPEND CMAKE_C_FLAGS_INIT " -fno-omit-frame-pointer")
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/kernel)
foreach(folder linux asm asm-generic)
	foreach(include /usr/include /usr/include/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu)
		if(IS_DIRECTORY ${include}/${folder})
			file(CREATE_LINK ${include}/${folder} ${CMAKE_BINARY_DIR}/kernel/${folder} SYMBOLIC)
		endif()
	endforeach()
endforeach()
set(LEAT_TEST_PREFIX "musl:")
set(CMAKE_DISABLE_FIND_PACKAGE_OpenSSL ON) # the one there is is the other libc's
set(CMAKE_DISABLE_FIND_PACKAGE_SQLite3 ON)
