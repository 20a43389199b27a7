# Owns: what makes a library an addon that Node.js loads, for each addon of ours.
# Must not know: what an addon does.

if(NOT CMAKE_JS_INC)
  message(FATAL_ERROR "The addon is built by cmake-js: run `npm run build:addon`, or pass -DVIDEO_DEPTH_ADDON=OFF")
endif()

function(video_depth_make_addon target)
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX ".node")
  target_include_directories(${target} SYSTEM PRIVATE ${CMAKE_JS_INC})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/binding)
  target_link_libraries(${target} PRIVATE ${CMAKE_JS_LIB})
  target_compile_definitions(${target} PRIVATE
    NAPI_VERSION=8
    NAPI_CPP_EXCEPTIONS
    NODE_ADDON_API_DISABLE_DEPRECATED
    # A terminated worker cannot be thrown into.
    NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
  )
  if(MSVC)
    target_compile_options(${target} PRIVATE /EHsc)
    if(CMAKE_JS_NODELIB_DEF AND CMAKE_JS_NODELIB_TARGET)
      execute_process(COMMAND ${CMAKE_AR} /def:${CMAKE_JS_NODELIB_DEF} /out:${CMAKE_JS_NODELIB_TARGET} ${CMAKE_STATIC_LINKER_FLAGS})
    endif()
  elseif(APPLE)
    target_link_options(${target} PRIVATE -undefined dynamic_lookup)
  else()
    target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL)
  endif()
endfunction()
