# Warnings are errors with gcc and clang; sanitizers come from the preset.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wwrite-strings -Werror -fno-common)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-format-truncation) # error texts are cut on purpose
endif()
add_compile_definitions(_GNU_SOURCE MAINTNER_VERSION="${PROJECT_VERSION}")
# What no program's code uses is not loaded: base/ stands beside curl, openssl and jansson.
add_link_options(-Wl,--as-needed)
if(MAINTNER_FAULTS)
  add_compile_definitions(MAINTNER_FAULTS)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(is_module $<STREQUAL:$<TARGET_PROPERTY:TYPE>,MODULE_LIBRARY>)
  add_compile_options(-fstack-protector-strong $<$<NOT:${is_module}>:-fPIE>)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options($<$<NOT:${is_module}>:-pie> -Wl,-z,relro,-z,now)
endif()
if(MAINTNER_SANITIZE)
  add_compile_options(-fsanitize=${MAINTNER_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MAINTNER_SANITIZE})
endif()
