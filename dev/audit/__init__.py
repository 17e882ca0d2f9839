"""What `make audit` looks at: known vulnerabilities, signatures, licences, secrets, the SBOM."""
