console.log("keyctl", process.version)
