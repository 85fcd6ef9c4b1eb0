// Made by dashboard/build.mjs.
&[
    File { path: "/assets/chunk-DWNBHD2D.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-DWNBHD2D.js") },
    File { path: "/assets/chunk-Q346IM6T.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-Q346IM6T.js") },
    File { path: "/assets/chunk-VU7GT5AO.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/chunk-VU7GT5AO.js") },
    File { path: "/assets/main-7RK3CVVZ.css", content_type: "text/css; charset=utf-8", bytes: include_bytes!("assets/main-7RK3CVVZ.css") },
    File { path: "/assets/main-DGJEPHVS.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/main-DGJEPHVS.js") },
    File { path: "/assets/qr-7CGRR6EP.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/qr-7CGRR6EP.js") },
    File { path: "/assets/working-MI7ZKSVV.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("assets/working-MI7ZKSVV.js") },
    File { path: "/favicon.svg", content_type: "image/svg+xml", bytes: include_bytes!("favicon.svg") },
    File { path: "/", content_type: "text/html; charset=utf-8", bytes: include_bytes!("index.html") },
    File { path: "/licences.txt", content_type: "text/plain; charset=utf-8", bytes: include_bytes!("licences.txt") },
]
