"""Who there is, and the tokens that say so: the directory, the App Service identity endpoint, the sign-in endpoints."""
